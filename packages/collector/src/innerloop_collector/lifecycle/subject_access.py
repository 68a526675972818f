"""Everything that the store has of one installation, to be shown to its holder."""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

from innerloop_collector.db import schema
from innerloop_collector.db.engine import Engine

_PAGE = 5_000
_TABLES = {"events": schema.STORED, "quarantine": schema.QUARANTINE}
_HELD = "FROM {table} FINAL WHERE project = {{project:String}} AND installation = {{installation:UInt128}}"


class SubjectAccess:
    """Reads what is held of an installation."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def counts(self, project: str, installation: int) -> dict[str, Any]:
        """How many rows there are, and from which days."""
        which = {"project": project, "installation": installation}
        events, first, last, until = self._engine.query(
            f"SELECT count(), min(received_day), max(received_day), max(keep_until) {_HELD.format(table='events')}", which
        )[0]
        waiting = self._engine.query(f"SELECT count() {_HELD.format(table='quarantine')}", which)[0][0]
        days = {"first_day": str(first), "last_day": str(last), "gone_after": str(until)} if events else {}
        return {"events": events, "quarantined": waiting, **days}

    def rows(self, table: str, project: str, installation: int) -> Iterator[list[dict[str, Any]]]:
        """Every row, in pages. Each page is a query of its own."""
        sql = f"""SELECT {", ".join(f"`{name}`" for name in _TABLES[table])} {_HELD.format(table=table)}
            AND message_key > {{after:UInt128}} ORDER BY message_key LIMIT {_PAGE}"""
        after = 0
        while found := self._engine.query(sql, {"project": project, "installation": installation, "after": after}):
            page = [dict(zip(_TABLES[table], row, strict=True)) for row in found]
            after = page[-1]["message_key"]
            yield [{name: _plain(name, value) for name, value in row.items()} for row in page]


def _plain(name: str, value: Any) -> Any:
    """A value as JSON says it; hashes as hexadecimal digits."""
    if name in ("message_key", "installation"):
        return f"{value:032x}"
    return value.isoformat() if isinstance(value, date | datetime) else value
