"""What may pass to a recipient: what was agreed to, and no more than the newest file lets it have.

A developer agreed to a version of the project file, and that version names recipients and what each of them gets. A recipient that a
later version adds gets nothing of events that came under an earlier one; one that the newest version takes out gets nothing more at all.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from innerloop.core.plan.tracking import PLAN
from innerloop_collector.db import schema
from innerloop_collector.exporters.pseudonyms import Pseudonyms
from innerloop_collector.exporters.record import Record, Value
from innerloop_collector.store.catalogue import AgreedPlan, Catalogue

WITHOUT_ID = "rows without an id"
# The store holds no id, only keyed hashes of them: who agreed to "with the id" agreed to more than a pseudonym, and gets that.
WITH_PSEUDONYM = ("rows with a pseudonym", "rows with the id")
_ROWS = (WITHOUT_ID, *WITH_PSEUDONYM)
COLUMNS = ("position", "project", "message_key", "installation", "kind", "plan", "corrected_time", "keep_until", *schema.plan_columns(PLAN))
_FIRST_FIELD = COLUMNS.index("keep_until") + 1
_FIELDS = COLUMNS[_FIRST_FIELD:]
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Terms:
    """What of a plan's events a recipient may have."""

    agreement: dict[str, Any]
    pseudonym: bool


def receives(agreement: dict[str, Any], recipient: str) -> str:
    """What an agreement lets a recipient have. Empty: it does not name them."""
    return next((what for name, what, *_ in agreement["recipients"] if name == recipient), "")


def passable(catalogue: Catalogue) -> set[tuple[str, str]]:
    """The plans that let anybody have rows: of all others nothing passed anywhere, whatever was configured."""
    return {key for key, plan in catalogue.plans.items() if any(what in _ROWS for _, what, *_ in plan.agreement["recipients"])}


class RecipientTerms:
    """The terms of one recipient, in all projects."""

    def __init__(self, recipient: str, projects: Sequence[str]) -> None:
        self._recipient = recipient
        self._projects = frozenset(projects)
        self._catalogue: Catalogue | None = None
        self._terms: dict[tuple[str, str], Terms] = {}

    def terms(self, catalogue: Catalogue) -> dict[tuple[str, str], Terms]:
        """The plans of which rows may pass: (project, digest) -> terms."""
        if catalogue is not self._catalogue:
            newest = {project: receives(versions[-1].agreement, self._recipient) for project, versions in catalogue.versions.items()}
            self._terms = {key: terms for key, plan in catalogue.plans.items() if (terms := self._of(key[0], plan, newest.get(key[0], "")))}
            self._catalogue = catalogue
        return self._terms

    def _of(self, project: str, plan: AgreedPlan, newest: str) -> Terms | None:
        """The lesser of what was agreed to and what the newest version of the file says."""
        if self._projects and project not in self._projects:
            return None
        both = receives(plan.agreement, self._recipient), newest
        pseudonym = all(what in WITH_PSEUDONYM for what in both)
        return Terms(plan.agreement, pseudonym) if all(what in _ROWS for what in both) else None

    def by_project(self, catalogue: Catalogue) -> dict[str, str]:
        """What the recipient gets by the newest version of each project's file."""
        newest = {project: receives(versions[-1].agreement, self._recipient) for project, versions in catalogue.versions.items()}
        return {project: what for project, what in newest.items() if what and (not self._projects or project in self._projects)}


def record(row: Sequence[Any], terms: Terms, names: Pseudonyms, keep_until: date) -> Record:
    """Make what may pass of a row (in the order of COLUMNS)."""
    position, project, message_key, installation, kind, _, time = row[:7]
    fields = _fields(row, kind, terms.agreement)
    run = str(fields.get("run") or message_key)
    trace = names.trace(run)
    if "run" in fields:  # as the client made it, it would be the same at every destination
        fields["run"] = f"{trace:032x}"
    sequence = fields.get("sequence", 0) if kind == "target" else 0
    assert isinstance(sequence, int)
    return Record(
        position=position,
        keep_until=keep_until,
        project=project,
        kind=kind,
        event=terms.agreement["events"].get(kind, PLAN.events[kind].wire),
        time=time,
        fields=fields,
        rename=terms.agreement["rename"],
        message=names.message(message_key),
        nobody=names.nobody(message_key),
        person=names.person(installation) if terms.pseudonym and installation else None,
        trace=trace,
        span=names.span(run, sequence),
        parent=names.span(run, _number(fields.get("parent"))) if kind == "target" else 0,
    )


def _fields(row: Sequence[Any], kind: str, agreement: dict[str, Any]) -> dict[str, Value]:
    """The fields of an event that were agreed to and are there. Of several words one text is made: not every destination has lists."""
    wanted = PLAN.events[kind].properties
    values = (
        (name, ",".join(value) if isinstance(value, list) else value) for name, value in zip(_FIELDS, row[_FIRST_FIELD:], strict=True)
    )
    return {name: value for name, value in values if name in wanted and name in agreement["fields"] and value not in (None, "", _NEVER)}


def _number(value: Value | None) -> int:
    return value if isinstance(value, int) else 0


def last_day(row: Sequence[Any], catalogue: Catalogue) -> date:
    """The last day on which a row is kept: as was agreed, or as its project promises now if that is less."""
    keep_until: date = row[7]
    newest = catalogue.versions.get(row[1])
    if newest is None:
        return keep_until
    corrected: datetime = row[6]
    return min(keep_until, corrected.astimezone(UTC).date() + timedelta(days=newest[-1].document["retention_days"]))
