"""Register a change on a page: first what could be seen of it, then the same record that `changes add` makes.

What is registered is what was looked at: the form carries a digest of it, and where something was altered since, by hand or by another tab, the look is shown
again. Sent twice, a change is registered once.
"""

import hashlib
import re
from dataclasses import dataclass, replace
from typing import Any

from innerloop_collector.access.principal import Principal, Role
from innerloop_collector.dashboard import words
from innerloop_collector.dashboard.effects import link_of
from innerloop_collector.dashboard.error_pages import PageError
from innerloop_collector.dashboard.forms import Field, Form
from innerloop_collector.dashboard.operating import Ask
from innerloop_collector.dashboard.page import Page
from innerloop_collector.dashboard.page_tables import home
from innerloop_collector.errors import Denied, UsageError, WrongField

SECTION = "register"  # what follows the project in the address: a change may be called anything, so it is not below `changes`
_KINDS = (
    ("code", "Code"),
    ("docs", "Docs"),
    ("course", "A course"),
    ("server", "A server"),
    ("annotation", "Annotation: only drawn on charts"),
)
_METRICS = (
    ("", "How long it takes (duration)"), ("failures", "How much of it fails"), ("failed_checks", "How much of checks fails"), ("usage", "How much it is used"),
    ("adoption", "How many use it"),
)  # fmt: skip
_SCANS = (("", "What it affects"), ("yes", "Everything else in the project, too (a scan)"))
_FIELDS = (
    Field("name", "Name", hint="For good: 1 to 40 characters of a-z 0-9 -", required=True, names=True),
    Field("title", "Title", hint="What it is, in a line. Empty: its name"),
    Field("date", "Day", hint="On which it came, or is to come", kind="date", required=True),
    Field("kind", "Kind", kind="choice", options=_KINDS),
    Field("link", "Link", hint="Where more is said", kind="url"),
    Field("affects", "Commands and targets that it affects", hint="One a line, as [names] of the project file lists them. Empty: everything", kind="lines", names=True),
    Field("projects", "Other projects that it affects", hint="One a line", kind="lines", names=True),
    Field("controls", "Commands and targets that it leaves as they were", hint="One a line. Without a control a comparison says that something changed, never that this did it", kind="lines", names=True),
    Field("control_projects", "Projects that it did not reach", hint="One a line, instead of commands and targets", kind="lines", names=True),
    Field("metric", "What it is to alter", kind="choice", options=_METRICS),
    Field("expect", "What you expect", hint="Such as -15 %, or -5 pp of failures and adoption. It is shown beside what came"),
    Field("looks", "When to decide", hint="Whole weeks after it, such as 4, 9. Empty: 4"),
    Field("scan", "At each look ask about", kind="choice", options=_SCANS),
)  # fmt: skip
_GROUPS = (
    ("What came, and when", ("name", "title", "date", "kind", "link")),
    ("What it affects", ("affects", "projects")),
    ("What it is compared with", ("controls", "control_projects")),
    ("What is asked", ("metric", "expect", "looks", "scan")),
)
_LISTS = ("affects", "controls", "control_projects")
_UNTOLD = "How large a change must be to be found is told to who may read reports."


@dataclass(frozen=True, slots=True)
class _Look:
    """What registering would come to."""

    answer: dict[str, Any]
    seen: str  # a digest of what was looked at

    @property
    def sentences(self) -> tuple[str, ...]:
        """What is to be known before it is registered."""
        together = self.answer["at_once"]
        which = f"the {'change' if len(together) == 1 else 'changes'} {words.listed(together)}"
        at_once = f"{which} came to the same commands in the weeks that are compared: what one did cannot be told from the other"
        return tuple(words.sentence(one) for one in (*self.answer["notes"], *([at_once] if together else [])))


def may_register(who: Principal, project: str) -> bool:
    """Tell whether somebody may register changes of a project."""
    return who.role.may(Role.CHANGES) and (who.projects is None or project in who.projects)


def opened(project: str, name: str, who: Principal) -> Page:
    """The empty form. Raises PageError for who may not register."""
    _refuse(project, who)
    return _page(project, name, who, _filled(Form()))


def sent(ask: Ask, project: str, name: str, who: Principal, form: Form) -> Page:
    """The form with what could be seen of what was filled in, or with what is wrong with it; or that it is registered. Raises PageError for who may not register."""
    _refuse(project, who)
    fields = _filled(form)
    try:
        says = _record(form, project)
        look = _look(ask, says, who)
        if not look.answer["changed"]:
            return _registered(project, name, who, look)
        if form.get("step") == "register" and form.get("seen") == look.seen:
            seen = {**says, "after_version": look.answer["after_version"]}
            return _registered(project, name, who, replace(look, answer=ask("changes.add", seen, who)))
    except WrongField as error:
        known = any(one.name == error.field for one in fields)
        return _page(project, name, who, _marked(fields, error), status=400, message="" if known else words.sentence(str(error)))
    except (UsageError, Denied) as error:
        return _page(project, name, who, fields, status=400, message=words.sentence(str(error)))
    altered = form.get("step") == "register"
    return _page(project, name, who, fields, look=look, altered=altered)


def registers_only(who: Principal) -> PageError:
    """Somebody may register changes and read nothing, and wants to read."""
    sentence = f"Your role is {who.role.word}: it opens the form in which changes of a project are registered, and no page of figures."
    ways = tuple((f"Register a change of {one}", f"{home(one)}/{SECTION}") for one in sorted(who.projects or ()))
    return PageError(403, "You may register changes, and read nothing", sentence, ways[:20])


def _refuse(project: str, who: Principal) -> None:
    if not may_register(who, project):
        sentence = (
            f"Registering a change needs the role changes or admin; you have the role {who.role.word}. Ask whoever runs the collector."
        )
        raise PageError(403, "You may not register changes", sentence, (("Changes", f"{home(project)}/changes"),))


def _look(ask: Ask, says: dict[str, Any], who: Principal) -> _Look:
    """Ask what registering would come to. What stands in the place of the record is part of what was looked at."""
    answer = ask("changes.add", {**says, "dry_run": True}, who)
    looked_at = repr((sorted(says.items()), answer["notes"], answer.get("after_version")))
    return _Look(answer, hashlib.sha256(looked_at.encode()).hexdigest()[:16])


def _record(form: Form, project: str) -> dict[str, Any]:
    """What was filled in, as `changes add` takes it. Raises WrongField."""
    looks = re.split(r"[\s,]+", form.line("looks"))
    if not all(one.isdecimal() and len(one) < 4 for one in looks if one):
        raise WrongField("looks", "whole numbers of weeks, such as 4, 9")
    lines = {name: form.lines(name) for name in _LISTS}
    texts = {one: form.line(one) for one in ("name", "title", "date", "kind", "metric", "expect", "link")}
    projects, weeks = [project, *form.lines("projects")], [int(one) for one in looks if one]
    return {**texts, **lines, "projects": projects, "looks": weeks, "scan": form.get("scan") == "yes"}


def _filled(form: Form) -> tuple[Field, ...]:
    return tuple(replace(one, value=form.get(one.name) if one.kind == "lines" else form.line(one.name)) for one in _FIELDS)


def _marked(fields: tuple[Field, ...], error: WrongField) -> tuple[Field, ...]:
    return tuple(replace(one, error=words.sentence(error.why)) if one.name == error.field else one for one in fields)


def _page(
    project: str,
    name: str,
    who: Principal,
    fields: tuple[Field, ...],
    *,
    status: int = 200,
    message: str = "",
    look: _Look | None = None,
    altered: bool = False,
) -> Page:
    by_name = {one.name: one for one in fields}
    about = {
        "name": name,
        "groups": tuple((title, tuple(by_name[one] for one in names)) for title, names in _GROUPS),
        "fields": fields,
        "message": message,
        "look": look,
        "foreseen": _foreseen(look, who) if look else "",
        "altered": altered,
        "registered": "",
        "reads": who.sees(project),
    }
    return Page("registration.html", "Register a change", about=about, section="changes", status=status)


def _foreseen(look: _Look, who: Principal) -> str:
    """What could be seen of it, in a sentence."""
    if not look.answer["metric"]:
        return "An annotation is only drawn on charts: nothing is compared."
    return words.sentence(look.answer["foreseen"]) if who.role.may(Role.VIEWER) else _UNTOLD


def _registered(project: str, name: str, who: Principal, look: _Look) -> Page:
    """What was registered: now, or before, as another tab or somebody else did."""
    called, day = look.answer["name"], look.answer["date"]
    said = (
        f"{called} is registered."
        if look.answer["changed"]
        else f"{called} of {day} was registered before, exactly like this; nothing was altered."
    )
    about = {
        "name": name,
        "look": look,
        "foreseen": _foreseen(look, who),
        "registered": said,
        "reads": who.sees(project),
        "page": link_of(look.answer["project"], called) if look.answer["metric"] else "",
    }
    return Page("registration.html", "Register a change", about=about, section="changes")
