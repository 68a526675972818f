"""`innerloop opt-out`: works anywhere, on anything broken, and says nothing to anybody."""

import os
from collections.abc import Iterator
from contextlib import suppress
from typing import Optional

from innerloop.core.asking import dialogue, events
from innerloop.core.consent import answer as answers
from innerloop.core.consent import cache_files, places, texts
from innerloop.core.consent.apply import apply
from innerloop.core.consent.resolve import ConsentState, Context, NoProject, resolve
from innerloop.core.outbound import http_client, seal
from innerloop.core.plan.founding import SYSTEMS
from innerloop.core.plan.project import ProjectError
from innerloop.core.probe import attached
from innerloop.core.shared import cache, environment, files
from innerloop.core.shared.deadline import in_time
from innerloop.core.shared.printable import clean
from innerloop.core.shared.terminal import Failure, say
from innerloop.core.spool import entries, layout

PATIENCE = 3.0  # s that the one attempt to say that somebody left may take


def opt_out(context: Context, everywhere: bool) -> int:
    """Stop measuring this project, or every project on this machine (`--all`)."""
    started = context.now()
    if context.home.refusal():
        raise Failure(f"{context.home.refusal()}: nothing was agreed to here, and nothing is written here")
    try:
        state = resolve(context)
    except (NoProject, ProjectError) as error:
        _refuse_agent(context)
        return _opt_out_all(context) if everywhere else _opt_out_of_broken(context, error)
    if not state.agents_may_answer:
        _refuse_agent(context)
    if not everywhere or state.answer.decision != answers.UNDECIDED:
        _opt_out_of_project(state, context, started)
    return _opt_out_all(context) if everywhere else 0


def _refuse_agent(context: Context) -> None:
    if environment.by_agent(context.env):
        raise Failure("only a person can answer; a coding agent may say neither yes nor no")


def _opt_out_of_project(state: ConsentState, context: Context, started: float) -> None:
    had_agreed = state.mode == answers.ON
    given = dialogue.opt_out_of(places.name_for(state.project), context)
    unsent = dialogue.purge_all(context, state)
    apply(resolve(context), context)
    told = had_agreed and "previous_consent" in state.agreement["fields"]
    say(texts.stopped(state.project, given.path, unsent, told))
    if had_agreed:
        tell_opt_out(state, context, started)


def tell_opt_out(state: ConsentState, context: Context, started: float) -> None:
    """Send the event that says that a developer left: one attempt, never queued."""
    if "previous_consent" not in state.agreement["fields"]:
        return
    sealed = seal.seal(state, events.moment_facts(state, context, started), kind="opt_out")
    content = http_client.body(list(sealed.events), state.digest, {}, context.now())
    with suppress(Exception):  # too late, or whatever else: the no is written, and --all has others to go on with
        in_time(PATIENCE, http_client.post, state.project.endpoint, state.project.write_key, content, PATIENCE)
    events.print_sent(state, context, sealed.events[0])


def _opt_out_of_broken(context: Context, error: Exception) -> int:
    """The project file cannot be read: find what was agreed to by where it was used."""
    found = None
    with suppress(OSError):
        found = cache.find_project(context.home.uid, os.fsencode(context.directory))
    for key, about in dialogue.known(context):
        if found and os.fsdecode(found[0]) in layout.roots(context.spool(key)):
            unsent = _decline_known(context, key, about)
            say(f"{about['project']} commands are no longer measured; {unsent or 0} unsent records were deleted. ({error})")
            return 0
    raise Failure(f"{error}; to stop measuring every project on this machine: innerloop opt-out --all")


def _decline_known(context: Context, key: str, about: "dict[str, str]") -> Optional[int]:
    """Write a no; returns how many unsent runs were deleted, or None where it was a no already and nothing was left.

    What a spool of an earlier version says of its answer is judged anew: where that is none of ours, there is nothing to answer.
    """
    try:
        name = places.known_name(about["consent"])
    except ProjectError:
        return dialogue.purge(context, key) or None
    already = _decision(name, context) == answers.NO
    if not already:
        dialogue.opt_out_of(name, context)
    unsent = dialogue.purge(context, key)
    return unsent if unsent or not already else None


def _decision(name: places.Name, context: Context) -> Optional[str]:
    """What an answer is; None where it cannot be read."""
    found = answers.load_if_sound(places.place(name, context.home))
    return found and found.decision


def _opt_out_all(context: Context) -> int:
    """Stop every project of this machine, also those whose project file is gone."""
    stopped, elsewhere = 0, ""
    names: "list[str]" = []
    for key, about in dialogue.known(context):
        try:
            if _decline_known(context, key, about) is not None:
                stopped += 1
                names.append(clean(about["project"]))
        except ProjectError as error:  # a container without the answer of a seed project
            elsewhere = f"{about['project']} is still measured: {error}"
    for name in list(_answers_without_spool(context)):
        dialogue.opt_out_of(name, context)
        stopped += 1
    for path in cache_files.paths(context.state):
        files.remove(path)
    files.remove(f"{context.state}/enabled")
    files.remove(f"{context.state}/{attached.NAME}")
    if elsewhere:
        raise Failure(elsewhere)
    which = f" ({', '.join(names)})" if names else ""
    say(f"{stopped} project{' is' if stopped == 1 else 's are'} no longer measured{which}." if stopped else "No project was measured here.")
    return 0


def _answers_without_spool(context: Context) -> "Iterator[places.Name]":
    """Our own answers that are a yes or cannot be read, and a yes that a founding system's script or we wrote into its file."""
    for file in [*entries.names(context.config), *(system.config for system in SYSTEMS.values())]:
        with suppress(ProjectError):  # it has no name of an answer, or is not in this container
            name = places.known_name(file)
            unreadable = None if places.founding_system(name) is None else answers.ON
            if _decision(name, context) in (answers.ON, answers.LOCAL, unreadable):
                yield name
