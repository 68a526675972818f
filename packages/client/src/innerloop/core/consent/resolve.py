"""What holds here and now, from the sources themselves. Slow (tens of ms) and exact; it changes nothing on disk.

Order of force: environment, machine file, project file, the developer's answer. Each may only restrict what the
one after it allows; whatever is broken, foreign or unknown means off.
"""

import os
from typing import Any, Callable, NamedTuple, Optional
from urllib.parse import urlsplit

from innerloop.core.consent import answer as answers
from innerloop.core.consent import places
from innerloop.core.consent.answer import LOCAL, NO, ON, UNDECIDED, Answer
from innerloop.core.plan import project_file, remotes
from innerloop.core.plan.agreement import Difference, agreement, destination_digest, difference, digest, shared, unexpired
from innerloop.core.plan.project import Project, ProjectError
from innerloop.core.shared import cache, environment, files, paths

OFF, PAUSED = "off", "paused"
REMIND_AFTER = 30  # days from the first invitation to the second and last one
ASK_AGAIN_AFTER = 180  # days from one question about a changed list to the next, after anything but a yes


class ConsentState(NamedTuple):
    """What holds for one project on this machine."""

    project: Project
    path: str  # of the project file
    key: str  # of the spool
    answer: Answer
    mode: str  # on, local, no, off or paused
    reason: str  # why it is not what the developer answered; empty where it is
    agreement: "dict[str, Any]"  # what may leave: agreed and current
    current: "dict[str, Any]"  # what the project file asks for now, without what expired
    changed: Optional[Difference] = None  # how the project file differs from what was agreed, where it does
    testing: str = ""  # value of a seed project's test variable
    unusable: str = ""  # what is wrong with the consent file
    clone: remotes.Clone = remotes.Clone()  # looked at only where its remotes decide
    elsewhere: "tuple[str, ...]" = ()  # the answers for the same project at other endpoints, a no among which counts where none is here

    @property
    def measures(self) -> bool:
        """Whether runs are recorded."""
        return self.mode in (ON, LOCAL)

    @property
    def expired(self) -> str:
        """Why this version measures nothing any more, or an empty string."""
        return "" if "messageId" in self.current["fields"] else "the tracking plan of this version has expired: update innerloop"

    def identities(self, now: float) -> "dict[str, str]":
        """The ids that this project's destination may be asked about -> their erasure secrets."""
        return self.answer.identities(destination_digest(self.project), now)

    @property
    def agents_may_answer(self) -> bool:
        """Whether this is a founding system's test in which no person's real answer is at stake."""
        return bool(self.testing) and (self.answer.decision == UNDECIDED or "test" in self.answer.consent)

    @property
    def digest(self) -> str:
        """The digest that events are sent under."""
        return digest(self.agreement)


class Context:
    """The developer's files, found through the environment, and the clock. One value, handed down, never a global."""

    def __init__(self, env: "dict[bytes, bytes]", directory: str, now: Callable[[], float]) -> None:
        """`env` is an environment as bytes; `directory` is where to look for the project from; `now` reads the clock (s since 1970)."""
        self.env = env
        self.directory = directory
        self.now = now
        self.home = paths.Home(env)
        self.state = os.fsdecode(self.home.state)
        self.config = os.fsdecode(self.home.config)
        self._clones: "dict[str, tuple[list[bytes], remotes.Clone]]" = {}

    def clone(self, directory: str) -> remotes.Clone:
        """The clone around a directory. git is asked once, and again only where a file changed that it had read."""
        known = self._clones.get(directory)
        if known is None or known[0] != _fingerprints(known[1]):
            clone = remotes.look(directory, self.home)
            known = self._clones[directory] = _fingerprints(clone), clone
        return known[1]

    def reaches(self, endpoint: str) -> bool:
        """Whether the endpoint is from here what it was on the host: in a container, loopback is another machine's."""
        host = urlsplit(endpoint).hostname or ""
        return not (self.home.shared and (host.startswith("127.") or host == "::1" or f".{host}".endswith(".localhost")))

    def spool(self, key: str) -> str:
        """The spool's directory for a key."""
        return f"{self.state}/spool/{key}"

    @property
    def today(self) -> int:
        """The day by this machine's clock, in days since 1970."""
        return int(self.now()) // 86400


def _fingerprints(clone: remotes.Clone) -> "list[bytes]":
    return [cache.fingerprint(os.fsencode(path)) for path in clone.sources]


class NoProject(Exception):
    """There is no project file around here."""


def find(context: Context) -> project_file.FoundProject:
    """Find and read the project file. Raises NoProject or ProjectError."""
    if context.home.problem:
        raise NoProject(f"nothing is recorded here: {context.home.problem}")
    try:
        found = cache.find_project(context.home.uid, os.fsencode(context.directory))
    except OSError as error:
        raise NoProject(f"{context.directory} cannot be read: {error.strerror}") from error
    if found is None:
        raise NoProject("no innerloop.toml of yours was found here or in a directory above")
    return project_file.load(os.fsdecode(found[0]))


def resolve(context: Context) -> ConsentState:
    """Find the project around a directory and tell what holds. Raises NoProject or ProjectError."""
    return resolve_project(context, find(context))


def resolve_project(context: Context, found: project_file.FoundProject) -> ConsentState:
    """Tell what holds for a project file that was read."""
    project = found.project
    testing = environment.test_value(context.env, project.seed.test_variable.encode()) if project.seed else ""
    path = places.place(places.name_for(project), context.home)
    current = unexpired(agreement(project), context.today)
    elsewhere: "list[str]" = []
    try:
        answer, unusable = answers.load(path), ""
        if answer.decision == UNDECIDED or project.keeps_destination:
            elsewhere = places.elsewhere(project, context.home, decided=answer.decision != UNDECIDED)
    except files.UnusableFile as error:
        answer, unusable = Answer(path, {}), str(error)
    found_state = ConsentState(
        project, found.path, places.spool_key(project), answer, OFF, "", current, current, testing=testing, unusable=unusable,
        elsewhere=tuple(elsewhere),
    )  # fmt: skip
    if unusable or found_state.expired:
        return found_state._replace(reason=unusable or found_state.expired)
    bound = _bind(found_state, current)
    if project.ci and cache.ci_job(context.env) and bound.mode not in (NO, LOCAL):
        bound = _ci_job(found_state)
    return _restrict(bound, context)


def for_clones(context: Context, roots: "set[str]", state: ConsentState) -> "dict[str, ConsentState]":
    """What holds for each of several clones of a project, by their project files."""
    return {root: _for_clone(context, root, state) for root in roots}


def _for_clone(context: Context, root: str, state: ConsentState) -> ConsentState:
    """What holds for the clone whose project file is `root`; `state` where that clone is gone or nothing may leave it."""
    if root in ("", state.path):
        return state
    try:
        own = resolve_project(context, project_file.load(root))
    except (ProjectError, OSError):
        return state
    return own if own.key == state.key and own.mode == ON else state


def _ci_job(state: ConsentState) -> ConsentState:
    """A CI job gives no consent, carries no id and has a spool of its own: the project file and the job say that it counts.

    It is not one where somebody answered no or `local`: a repository's Makefile can set the job's variables too.
    """
    return state._replace(answer=Answer(state.answer.path, {}), mode=ON, key=f"{state.key}-ci")


def _bind(state: ConsentState, current: "dict[str, Any]") -> ConsentState:
    """Hold the answer against the project file as it is now."""
    answer, consent = state.answer, state.answer.consent
    if answer.decision == NO:
        return state._replace(mode=NO)
    if refused := next((path for path in state.elsewhere if _refused(path)), ""):
        return state._replace(mode=NO, reason=f"you said no to this project at another address, in {refused}")
    if answer.decision != ON:
        return state._replace(mode=LOCAL) if answer.decision == LOCAL else state
    if consent.get("test") and not state.testing:
        return state._replace(reason="the yes was given in a test and counts only there")
    agreed = _agreed(state, current)
    if agreed is None:
        return state._replace(reason="the answer does not say what was agreed to")
    if not answer.holds_for(destination_digest(state.project)):
        change = Difference(other=("destination",))
        return state._replace(mode=PAUSED, reason="the destination is not the one that you agreed to", changed=change)
    change = difference(agreed, current)
    if change.wider and not (change.can_keep and _kept_against(consent, current)):
        return state._replace(mode=PAUSED, reason="what is collected is not what you agreed to", changed=change)
    return state._replace(mode=ON, agreement=shared(agreed, current), changed=change)


def _refused(path: str) -> bool:
    """Tell whether an answer is a no; one that cannot be read may be one."""
    found = answers.load_if_sound(path)
    return found is None or found.decision == NO


def _kept_against(consent: "dict[str, Any]", current: "dict[str, Any]") -> bool:
    """Tell whether the developer saw everything that is asked for now, and kept to less."""
    shown = consent.get("shown")
    return isinstance(shown, dict) and digest(shown) == consent.get("seen") and not difference(shown, current).wider


def _agreed(state: ConsentState, current: "dict[str, Any]") -> "Optional[dict[str, Any]]":
    """The agreement in the consent file, or what a founding system's yes stands for, where that system's destination is kept."""
    consent, project = state.answer.consent, state.project
    stored = consent.get("agreement")
    if isinstance(stored, dict) and digest(stored) == consent.get("plan") and consent.get("destination"):
        return stored
    if "plan" in consent or project.seed is None or not project.keeps_destination:
        return None
    fields = {name: exactness for name, exactness in current["fields"].items() if name in project.seed.fields}
    return {**current, "fields": fields}


def _restrict(state: ConsentState, context: Context) -> ConsentState:
    """Let the environment and the machine file restrict the answer. They can never widen it."""
    reason = forbidden(context)
    if reason:
        return state._replace(mode=OFF, reason=reason)
    if state.mode != ON:
        return state
    if local := _local_only(context):
        return state._replace(mode=LOCAL, reason=local)
    if not state.project.remotes or state.testing:
        return state
    state = state._replace(clone=context.clone(os.path.dirname(state.path)))
    if not state.clone.belongs(state.project.remotes):
        return state._replace(mode=LOCAL, reason="this clone has none of the project's remotes")
    return state


def forbidden(context: Context) -> str:
    """Why nothing may be recorded or asked on this machine, or an empty string."""
    reason = environment.forbidden(context.env) or context.home.refusal()
    if reason:
        return reason
    if project_file.machine_mode(os.fsdecode(paths.MACHINE_FILE)) == OFF:
        return f"{os.fsdecode(paths.MACHINE_FILE)} forbids it"
    return ""


def _local_only(context: Context) -> str:
    """Why runs are recorded but not sent, or an empty string."""
    if environment.local_only(context.env):
        return "INNERLOOP_MODE=local"
    if project_file.machine_mode(os.fsdecode(paths.MACHINE_FILE)) == LOCAL:
        return f"{os.fsdecode(paths.MACHINE_FILE)} allows local recording only"
    return ""


def asked_days(context: Context, key: str) -> "list[int]":
    """On which days (since 1970) a project's invitation was shown here."""
    days = [line.split() for line in files.read_if_sound(f"{context.state}/asked").decode("ascii", "replace").splitlines()]
    return [int(words[1]) for words in days if len(words) == 2 and words[0] == key and words[1].isdigit()]


def asking_key(state: ConsentState) -> str:
    """Under which key it is noted that somebody was asked: after a yes, what is asked for later is another matter."""
    return state.key if state.changed is None else f"{state.key}-{digest(state.answer.serial)[:12]}"


def ask_from(state: ConsentState, context: Context) -> Optional[int]:
    """The first day (since 1970) on which the developer may be invited: at most twice, with a long pause. None: never again."""
    days = sorted(set(asked_days(context, asking_key(state))))
    if len(days) > 1:
        return None
    return days[0] + (REMIND_AFTER if state.changed is None else ASK_AGAIN_AFTER) if days else 0
