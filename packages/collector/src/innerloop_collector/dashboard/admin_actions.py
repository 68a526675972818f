"""What an admin can do on pages. Each is an operation, the same as its command: here is what it asks for, and what is said of it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from innerloop_collector.access.principal import Role
from innerloop_collector.dashboard import words
from innerloop_collector.dashboard.admin_choices import Answer, Known, Options, events_of
from innerloop_collector.dashboard.forms import Field, Form
from innerloop_collector.dashboard.once import Told

_ONCE = "It is not shown again."


class WrongFieldError(Exception):
    """A field that cannot be what it is."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(why)
        self.name = name


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


def _done(number: int, project: str, what: str) -> str:
    return f"{events_of(number)} of {project} {'is' if number == 1 else 'are'} {what}."


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
    still = f"{events_of(waiting)} still {'waits' if waiting == 1 else 'wait'}." if waiting else "Nothing of it waits any more."
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
