"""Data & privacy: what is known about people, who can see what, and what is never told."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol

from innerloop.core.plan.tracking import PLAN
from innerloop_collector.dashboard import words
from innerloop_collector.dashboard.figure import Cell, Column, Figure, Row
from innerloop_collector.dashboard.kept_reports import Reader
from innerloop_collector.dashboard.page import Page, by_id


class RegisteredPlan(Protocol):
    """What a project registered, as far as pages say it."""

    @property
    def agreement(self) -> dict[str, Any]:
        """What each developer agreed to."""

    @property
    def document(self) -> dict[str, Any]:
        """What else its file says."""

    @property
    def k(self) -> int:
        """How many developers a number needs."""

    @property
    def min_active_weeks(self) -> int:
        """After how many active weeks a developer counts."""

    @property
    def applied(self) -> date:
        """Since when it is so."""


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who else gets rows, and how."""

    name: str
    receives: str


def privacy(reader: Reader, project: str, plan: RegisteredPlan) -> Page:
    """What a project collects, from whom, and what is told of it."""
    newest = reader.newest(project)
    report = reader.report(project, newest.period if newest else None)
    about = {
        "name": plan.document["name"],
        "organisation": plan.document["organisation"],
        "days": plan.document["retention_days"],
        "open": bool(plan.agreement.get("public")),
        "recipients": tuple(_recipients(plan.agreement)),
        "k": plan.k,
        "example": plan.k + 3,
        "example_range": words.fives(plan.k + 3),
        "weeks": plan.min_active_weeks,
        "applied": words.day(plan.applied),
        "names": len(plan.document["names"]["allow"]),
        "rules": report.rules,
        "participation": words.participation(report.developers, report.headcount),
    }
    return Page("privacy.html", "Data & privacy", by_id(fields(plan.agreement)), about=about, section="privacy")


def fields(agreement: Mapping[str, Any]) -> Figure:
    """Every field that may leave a developer's machine, and why."""
    columns = (
        Column("Field", ("field",), numeric=False, mono=True),
        Column("In the question", ("label",), numeric=False),
        Column("How exact", ("granularity",), numeric=False),
        Column("Why", ("purpose",), numeric=False),
        Column("Risk", ("risk",), numeric=False),
    )
    rows = tuple(_field(name, exact, agreement) for name, exact in agreement["fields"].items() if exact != "off")
    return Figure(
        "fields",
        "What may leave a developer's machine",
        "Every field of the registered plan. What is not in this table is not sent, and not taken in",
        columns,
        rows,
        note="No arguments, no paths, no output, no free text; names only from the project's list.",
    )


def _field(name: str, exact: str, agreement: Mapping[str, Any]) -> Row:
    known = PLAN.fields.get(name)
    label, risk = (known.label, known.risk) if known else ("", "")
    purpose = str(agreement["purposes"].get(name, ""))
    return Row(tuple(Cell(text, (text,)) for text in (name, label, exact, purpose, risk)))


def _recipients(agreement: Mapping[str, Any]) -> Iterable[Recipient]:
    for name, receives, *_ in agreement["recipients"]:
        yield Recipient(str(name), str(receives))
