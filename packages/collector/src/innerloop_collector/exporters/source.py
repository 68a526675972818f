"""Read events from the store in the order in which they were committed.

Positions are dense, so a window of positions is a page of about as many rows; no sort, and no row of older parts, is read twice.
"""

from collections.abc import Collection, Sequence
from typing import Any

from innerloop_collector.db.engine import Engine
from innerloop_collector.exporters.agreed_fields import COLUMNS

_SELECT = f"SELECT {', '.join(f'`{name}`' for name in COLUMNS)} FROM events WHERE project IN {{projects:Array(String)}}"  # noqa: S608 (names of ours)
Keys = Collection[tuple[str, str]]  # (project, plan digest)


class Source:
    """The events of the store, by position. Every method runs in the calling thread."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def window(self, after: int, until: int, wanted: Keys) -> list[Sequence[Any]]:
        """Events with a position in (after, until] that came under one of the wanted plans, by position."""
        return self._read("position > {after:UInt64} AND position <= {until:UInt64}", {"after": after, "until": until}, wanted)

    def at(self, positions: Sequence[int], wanted: Keys) -> list[Sequence[Any]]:
        """Events at some positions, as far as they are there and came under one of the wanted plans."""
        return self._read("position IN {positions:Array(UInt64)}", {"positions": list(positions)}, wanted) if positions else []

    def next_after(self, position: int) -> int:
        """The lowest position that is taken after one. 0: none is."""
        return int(self._engine.query("SELECT min(position) FROM events WHERE position > {after:UInt64}", {"after": position})[0][0])

    def batch_end(self, after: int, size: int, wanted: Keys) -> int:
        """The position of the last event of the next batch, if it is as large as that. 0: there is nothing to send."""
        if not wanted:
            return 0
        projects, plans = _names(wanted)
        sql = """SELECT max(position) FROM (SELECT position FROM events WHERE project IN {projects:Array(String)}
            AND plan IN {plans:Array(String)} AND position > {after:UInt64} ORDER BY position LIMIT {size:UInt32})"""
        return int(self._engine.query(sql, {"projects": projects, "plans": plans, "after": after, "size": size})[0][0])

    def plans_of(self, project: str, installation: int, after: int, until: int) -> set[str]:
        """The plans under which an installation's events with a position in (after, until] came."""
        sql = """SELECT DISTINCT plan FROM events WHERE project = {project:String} AND installation = {installation:UInt128}
            AND position > {after:UInt64} AND position <= {until:UInt64}"""
        parameters = {"project": project, "installation": installation, "after": after, "until": until}
        return {row[0] for row in self._engine.query(sql, parameters)}

    def _read(self, condition: str, parameters: dict[str, Any], wanted: Keys) -> list[Sequence[Any]]:
        if not wanted:
            return []
        projects, plans = _names(wanted)
        sql = f"{_SELECT} AND plan IN {{plans:Array(String)}} AND {condition}"
        rows = self._engine.query(sql, {"projects": projects, "plans": plans, **parameters})
        found = {row[2]: row for row in rows if (row[1], row[5]) in wanted}  # by message key: once, also while a repetition is unmerged
        return sorted(found.values(), key=lambda row: int(row[0]))


def _names(wanted: Keys) -> tuple[list[str], list[str]]:
    return sorted({project for project, _ in wanted}), sorted({plan for _, plan in wanted})
