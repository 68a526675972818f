"""What an admin can do on pages. Each is an operation, the same as its command: here is what it asks for, and what is said of it."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from innerloop_collector.access.principal import Role
from innerloop_collector.dashboard import words
from innerloop_collector.dashboard.forms import Field, Form
from innerloop_collector.dashboard.once import Told

Answer = Mapping[str, Any]
Options = tuple[tuple[str, str], ...]  # of a choice: value and text
_ONCE = "It is not shown again."
_NEW_IDS = "too many new ids"  # the reason that a person's word ends


class WrongFieldError(Exception):
    """A field that cannot be what it is."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(why)
        self.name = name


class Known:
    """What is there, as the operations that list it answer. Each is asked for where it is needed, and once."""

    def __init__(self, ask: Callable[[str], Answer]) -> None:
        self._ask = ask

    @cached_property
    def projects(self) -> tuple[Answer, ...]:
        """Projects."""
        return tuple(self._ask("projects.list")["projects"])

    @cached_property
    def keys(self) -> tuple[Answer, ...]:
        """Write keys."""
        return tuple(self._ask("keys.list")["keys"])

    @cached_property
    def tokens(self) -> tuple[Answer, ...]:
        """Tokens."""
        return tuple(self._ask("tokens.list")["tokens"])

    @cached_property
    def destinations(self) -> tuple[Answer, ...]:
        """Destinations."""
        return tuple(self._ask("destinations.status")["destinations"])

    @cached_property
    def quarantine(self) -> tuple[Answer, ...]:
        """What waits, counted."""
        return tuple(self._ask("quarantine.list")["quarantine"])

    @property
    def of_projects(self) -> Options:
        """Every project."""
        return tuple(
            (one["project"], f"{one['name']} ({one['project']})" if one["name"] != one["project"] else one["project"])
            for one in self.projects
        )

    @property
    def of_keys(self) -> Options:
        """Write keys that open something."""
        return tuple((one["id"], f"{one['id']} of {one['project']}, {_used(one)}") for one in self.keys if one["accepted"])

    @property
    def of_tokens(self) -> Options:
        """Tokens that open something."""
        return tuple((one["id"], f"{one['id']}: {one['role']}, {one['label']}, {_used(one)}") for one in self.tokens if one["accepted"])

    @property
    def of_destinations(self) -> Options:
        """Every destination."""
        return tuple((one["destination"], f"{one['destination']}: {one['state']}") for one in self.destinations)

    @property
    def of_new_ids(self) -> Options:
        """Projects in which new ids wait for a person's word."""
        return tuple(
            (project, f"{project}: {_events(events)}") for (project, reason), events in self._waiting().items() if reason == _NEW_IDS
        )

    @property
    def of_waiting(self) -> Options:
        """What waits, by project and reason."""
        waiting = self._waiting().items()
        return tuple((f"{project} {reason}", f"{project}, {reason}: {_events(events)}") for (project, reason), events in waiting)

    def _waiting(self) -> Counter[tuple[str, str]]:
        waiting: Counter[tuple[str, str]] = Counter()
        for one in self.quarantine:
            waiting[one["project"], one["reason"]] += one["events"]
        return waiting


@dataclass(frozen=True, slots=True)
class Action:
    """Something that an admin can do."""

    name: str  # of the operation
    figure: str  # under which table it stands
    title: str
    button: str
    about: str  # what becomes of it, before it is done
    fields: Callable[[Known], tuple[Field, ...]]
    arguments: Callable[[Form], dict[str, Any]]  # raises WrongFieldError
    told: Callable[[Answer], Told]
    typed: str = ""  # the field whose project must be typed once more, since nothing brings back what this takes

    def offered(self, known: Known) -> bool:
        """Whether there is anything to do it with."""
        return all(one.options for one in self.fields(known) if one.kind == "choice")


def _choice(name: str, label: str, options: Options, hint: str = "") -> Field:
    return Field(name, label, options[0][0] if options else "", hint, kind="choice", options=options, required=True)


def _number(name: str, label: str, value: int, hint: str = "") -> Field:
    return Field(name, label, str(value), hint, kind="number", required=True)


def _whole(form: Form, name: str) -> int:
    text = form.line(name)
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise WrongFieldError(name, "This must be a whole number.")
    return int(text)


def _lines(form: Form, name: str) -> list[str]:
    if found := form.lines(name):
        return found
    raise WrongFieldError(name, "At least one is needed.")


def _used(one: Answer) -> str:
    return f"last used {one['last_used']}" if one["last_used"] else "never used"


def _events(number: int) -> str:
    return f"{words.number(number)} {'event' if number == 1 else 'events'}"


def _done(number: int, project: str, what: str) -> str:
    return f"{_events(number)} of {project} {'is' if number == 1 else 'are'} {what}."


def _key_told(answer: Answer) -> Told:
    put = f"Put it into innerloop.toml as project.write_key. {_ONCE}"
    ending = tuple(f"Write key {one['id']} is accepted up to and including {one['ends']}." for one in answer.get("ending", ()))
    return Told(f"Write key {answer['id']} of {answer['project']} is made.", (put, *ending), answer["key"])


def _revoked_key_told(answer: Answer) -> Told:
    none = f"{answer['project']} has no key left, so nothing of it is accepted: make one."
    return Told(f"Write key {answer['id']} of {answer['project']} is revoked.", () if answer["left"] else (none,))


def _token_told(answer: Answer) -> Told:
    whose = words.listed(answer["projects"]) or "all projects"
    valid = f"It has the role {answer['role']} in {whose} and is valid up to and including {answer['expires']}. {_ONCE}"
    return Told(f"Token {answer['id']} is made.", (valid,), answer["token"])


def _erased_told(answer: Answer) -> Told:
    elsewhere = tuple(f"{name}: {state}." for name, state in answer["destinations"].items())
    nothing = () if answer["events"] else ("Nothing was kept under what was given: see whether it is written right, or was erased before.",)
    kept = f"Its receipt is {answer['receipt']}, with which innerloop-collector receipt says the same later."
    return Told(_done(answer["events"], answer["project"], "erased"), (kept, *elsewhere, *nothing))


def _released_told(answer: Answer) -> Told:
    waiting = answer["still_quarantined"]
    still = f"{_events(waiting)} still {'waits' if waiting == 1 else 'wait'}." if waiting else "Nothing of it waits any more."
    return Told(_done(answer["released"], answer["project"], "released"), (still,))


def _destination_told(done: str) -> Callable[[Answer], Told]:
    return lambda answer: Told(f"{answer['destination']} {done}.")


def _where(form: Form) -> dict[str, Any]:
    project, _, reason = form.line("what").partition(" ")
    return {"project": project, "reason": reason}


_ROLES = tuple((role.word, role.word) for role in Role)
_EXPIRES = "Days for which it is valid"

ACTIONS: tuple[Action, ...] = (
    Action(
        "keys.create",
        "keys",
        "Make a write key",
        "Make it",
        "The project has one more key with which clients send. It is shown once; only its hash is kept.",
        lambda known: (_choice("project", "Project", known.of_projects),),
        lambda form: {"project": form.line("project")},
        _key_told,
    ),
    Action(
        "keys.rotate",
        "keys",
        "Rotate a project's write key",
        "Rotate it",
        "A new key is made and shown once. The project's other keys end after the days below: commit the new one in the meantime. No developer is asked again.",
        lambda known: (
            _choice("project", "Project", known.of_projects),
            _number("overlap", "Days for which the other keys are accepted beside it", 30, "1 to 365"),
        ),
        lambda form: {"project": form.line("project"), "overlap": _whole(form, "overlap")},
        _key_told,
    ),
    Action(
        "keys.revoke",
        "keys",
        "Revoke a write key",
        "Revoke it",
        "Whoever sends with this key is refused from now on, also on connections that are open. Clients keep what they could not send, until they have another key.",
        lambda known: (_choice("key", "Write key", known.of_keys),),
        lambda form: {"key": form.line("key")},
        _revoked_key_told,
    ),
    Action(
        "tokens.create",
        "tokens",
        "Make a token",
        "Make it",
        "Somebody can read or operate with it. It is shown once; only its hash is kept.",
        lambda _: (
            _choice("role", "Role", _ROLES),
            Field("label", "What it is for", hint="Shown in the list", required=True),
            _number("days", _EXPIRES, 365, "1 to 3650"),
            Field("projects", "Projects", hint="One a line; none: all of them", kind="lines", names=True),
        ),
        lambda form: {
            "role": form.line("role"),
            "label": form.line("label"),
            "days": _whole(form, "days"),
            "projects": form.lines("projects"),
        },
        _token_told,
    ),
    Action(
        "tokens.revoke",
        "tokens",
        "Revoke a token",
        "Revoke it",
        "It opens nothing from now on, and sessions that were opened with it end.",
        lambda known: (_choice("token", "Token", known.of_tokens),),
        lambda form: {"token": form.line("token")},
        lambda answer: Told(f"Token {answer['id']} ({answer['label']}) is revoked."),
    ),
    Action(
        "destinations.pause",
        "destinations",
        "Pause a destination",
        "Pause it",
        "Nothing more is sent to it, also after a restart, until somebody lets it go on. What it misses is sent then.",
        lambda known: (_choice("destination", "Destination", known.of_destinations),),
        lambda form: {"destination": form.line("destination")},
        _destination_told("is paused"),
    ),
    Action(
        "destinations.resume",
        "destinations",
        "Let a destination go on",
        "Go on",
        "One that was paused goes on where it stopped; one that waits after a failure tries at once.",
        lambda known: (_choice("destination", "Destination", known.of_destinations),),
        lambda form: {"destination": form.line("destination")},
        _destination_told("goes on"),
    ),
    Action(
        "destinations.retry",
        "destinations",
        "Try again what was set aside",
        "Try again",
        "Everything that was set aside for it is sent once more.",
        lambda known: (_choice("destination", "Destination", known.of_destinations),),
        lambda form: {"destination": form.line("destination")},
        _destination_told("tries again what it did not take"),
    ),
    Action(
        "ids.release",
        "quarantine",
        "Let new ids in",
        "Let them in",
        "Their events are stored and count in figures, and the ids are known from then on. Do so if as many people, or machines, did join; anybody who has the committed key can make ids up.",
        lambda known: (_choice("project", "Project", known.of_new_ids),),
        lambda form: {"project": form.line("project")},
        _released_told,
    ),
    Action(
        "quarantine.discard",
        "quarantine",
        "Discard what waits",
        "Discard it",
        "It is removed from the files as well, before its time, and cannot be had back. How many there were stays counted.",
        lambda known: (_choice("what", "What waits", known.of_waiting),),
        _where,
        lambda answer: Told(_done(answer["discarded"], answer["project"], f"discarded ({answer['reason']})")),
        typed="what",
    ),
    Action(
        "erasure.erase",
        "erasure",
        "Erase an id",
        "Erase it",
        "Everything that is stored or waits under the id is removed, from the files and the backups within reach as well, and what arrives later is not stored. It cannot be had back. Figures that were published stay as they are. This takes up to a minute.",
        lambda known: (
            _choice("project", "Project", known.of_projects),
            Field("ids", "Ids", hint="One a line", kind="lines", required=True, names=True),
        ),
        lambda form: {"project": form.line("project"), "ids": _lines(form, "ids")},
        _erased_told,
        typed="project",
    ),
)


def by_figure(known: Known) -> dict[str, list[Action]]:
    """What can be done now, by the table that it belongs to."""
    found: dict[str, list[Action]] = {}
    for one in ACTIONS:
        if one.offered(known):
            found.setdefault(one.figure, []).append(one)
    return found
