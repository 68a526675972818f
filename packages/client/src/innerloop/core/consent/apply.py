"""After an answer: make or remove what depends on it, and keep the launcher's cache current."""

import os
import sys
from contextlib import suppress
from typing import Callable, Optional

from innerloop.core.consent.answer import NO, UNDECIDED
from innerloop.core.consent.places import name_for
from innerloop.core.consent.resolve import OFF, PAUSED, ConsentState, Context, NoProject, ask_from, forbidden, resolve
from innerloop.core.plan.agreement import agreed_groups
from innerloop.core.plan.project import ProjectError
from innerloop.core.plan.tracking import PLAN
from innerloop.core.probe import attached, place
from innerloop.core.shared import cache, environment, files, paths
from innerloop.core.spool import layout

MOST_SOURCES = 100  # files of git's that the launcher looks at before each run
GIT_FIELDS = tuple(field.name for field in PLAN.fields.values() if field.absent_without == "git")


def apply(state: ConsentState, context: Context) -> ConsentState:
    """Make what a resolution needs on disk, or remove it. Returns the resolution."""
    if state.measures:
        spool = context.spool(state.key)
        layout.prepare(spool, state.path, context.now())
        if not os.path.exists(f"{spool}/about.json"):
            files.write_json(f"{spool}/about.json", {"consent": name_for(state.project), "project": state.project.name})
    set_enabled(context, state.key, state.measures)
    try:
        write_cache(state, context)
    except OSError as error:  # only a cache; the old one is worthless by now
        if error.errno not in files.FULL:
            raise
    return state


def set_enabled(context: Context, key: str, on: bool) -> None:
    """Keep the file that exists while any project here is measured; its first line says where innerloop is."""
    path = f"{context.state}/enabled"
    before, after = _enabled(context, key, on)
    if before != after:  # nearly never: otherwise nothing is locked
        files.private_directory(context.state)
        with files.alone(context.state):
            before, after = _enabled(context, key, on)
            if not after:
                files.remove(path)
            elif after != before:
                files.write(path, after.encode("utf-8", "surrogateescape"))
    if not context.home.shared:  # what a GNUmakefile includes beside it is the host's there
        attached.keep(context.state, command() if after and os.path.isdir(context.state) else "")


def command() -> str:
    """The path of this installation's `innerloop` command, or an empty string."""
    directory = installed_at()
    return directory and f"{directory}/innerloop"


def _enabled(context: Context, key: str, on: bool) -> "tuple[str, str]":
    """The text of `enabled` as it is and as it should be; empty: no file."""
    before = files.read_if_sound(f"{context.state}/enabled").decode("utf-8", "surrogateescape")
    first, *known = before.split("\n")
    keys = {line for line in known if line} - {key} | ({key} if on else set())
    return before, "\n".join([first if context.home.shared else installed_at(), *sorted(keys), ""]) if keys else ""


def installed_at() -> str:
    """The directory of this installation's `innerloop` command, or an empty string."""
    directory = os.path.dirname(sys.executable)
    return directory if os.path.exists(f"{directory}/innerloop") else ""


def cached_answer(state: ConsentState, context: Context) -> cache.CachedAnswer:
    """What the launcher must know of a resolution."""
    answer = cache.CachedAnswer()
    sources = [os.fsencode(path) for path in (state.path, state.answer.path)] + [paths.MACHINE_FILE]
    sources += map(os.fsencode, state.clone.sources)
    if state.answer.decision == UNDECIDED or state.project.keeps_destination:  # an answer for another endpoint counts, or may come to count
        sources += map(os.fsencode, [context.config, *state.elsewhere])
    if state.measures and not context.home.shared:  # written anew where one is gone, or another version is installed
        sources += map(os.fsencode, [f"{context.state}/{attached.NAME}", f"{place.HERE}/probe.mk"])
    answer.sources = [(path, cache.fingerprint(path)) for path in sources]
    (answer.project_file, _), (answer.consent, answer.consent_print) = answer.sources[:2]
    answer.mode = (OFF if state.mode == PAUSED else state.mode).encode()
    if state.unusable or state.expired or forbidden(context):
        answer.mode = NO.encode()  # neither record nor ask
    answer.config = context.home.config
    answer.serial = state.answer.serial.encode()
    answer.digest = state.digest.encode()
    answer.spool = os.fsencode(context.spool(state.key))
    answer.probe = os.fsencode(place.prepare(context.state)[0]) if state.measures else b""
    answer.testvar = state.project.seed.test_variable.encode() if state.project.seed else b""
    due = ask_from(state, context)
    answer.due = b"" if due is None else b"%d" % due
    ends = [context.today if state.expired else PLAN.fields[name].last_day for name in state.current["fields"]]
    answer.until = b"%d" % (min(ends, default=context.today) + 1)  # looked at daily once all is over: an update may be installed
    names = state.project.names
    answer.patterns, answer.stems, answer.separator = list(names.allow), list(names.stems), names.separator
    answer.groups = list(agreed_groups(state.project, state.agreement))
    answer.changes = list(names.changes) if "changes" in state.agreement["fields"] else []
    answer.git = any(name in state.agreement["fields"] for name in GIT_FIELDS)
    answer.ci = state.project.ci
    answer.seed = state.project.seed is not None
    answer.away = not context.reaches(state.project.endpoint)
    return answer


def write_cache(state: ConsentState, context: Context) -> None:
    """Write the launcher's cache, but not on a machine where nobody was asked or answered anything yet."""
    touched = state.answer.consent or state.mode == NO or ask_from(state, context) != 0 or os.path.exists(f"{context.state}/enabled")
    if (
        environment.local_only(context.env)
        or state.testing
        or state.unusable
        or not touched
        or environment.in_ci(context.env)
        or forbidden(context)
    ):
        return
    listed = (*state.project.names.allow, *state.project.names.stems, state.path, state.answer.path, *state.clone.sources)
    if any("\n" in name for name in listed) or len(state.clone.sources) > MOST_SOURCES:
        return
    answer = cached_answer(state, context)
    if resolve(context) != state:
        return  # a source changed between reading it and taking its fingerprint: the next one writes it
    files.within(context.state, "hot")
    files.write(os.fsdecode(cache.path_for(context.home, answer.project_file, os.stat(state.path))), cache.render(answer))


def for_launcher(env: "dict[bytes, bytes]", now: Callable[[], float]) -> Optional[cache.CachedAnswer]:
    """Answer the launcher from the sources, and write the hot file for the next time.

    They are read again afterwards: whoever opts out meanwhile must find nothing that is made after the no. None where
    they changed twice.
    """
    context = Context(env, os.getcwd(), now)
    try:
        state = resolve(context)
        for _ in range(2):
            answer = cached_answer(state, context)
            _refresh(state, context)
            before, state = state, resolve(context)
            if state == before:
                return answer
            withdrawn = state.answer.path == before.answer.path and state.answer != before.answer
            if not state.measures and withdrawn:  # not where only another branch came: its file says nothing of this one's answer
                set_enabled(context, before.key, on=False)
    except (NoProject, ProjectError):
        pass
    return None


def _refresh(state: ConsentState, context: Context) -> None:
    with suppress(OSError):  # a full disk: the record says so itself, and the cache is only a cache
        if state.measures:
            apply(state, context)
        else:
            write_cache(state, context)
