"""Sees to it that every stored event can be looked up.

The look-up that stores an event once reads the projection `ids`. The engine syncs a part's own files and not those of its
projection, so after a loss of power a part may be whole and its projection empty. The engine then says nothing: some
look-ups fail, others quietly miss the part. So the newest parts are read once at the start, and what is broken is made anew.
"""

from typing import Any

import structlog

from innerloop_collector.db.engine import Engine
from innerloop_collector.errors import StoreError

_log = structlog.get_logger()
_OURS = "database = currentDatabase() AND table = 'events' AND active"
_YOUNG = 600  # seconds: what was written longer before the newest part is on the disk; the system writes it out within about 35
_NEWEST = f"""SELECT name FROM system.parts WHERE {_OURS}
    AND modification_time >= (SELECT max(modification_time) FROM system.parts WHERE {_OURS}) - {_YOUNG}"""
_BLIND = f"""SELECT DISTINCT partition_id FROM system.parts WHERE {_OURS} AND rows > 0 AND name NOT IN
    (SELECT parent_name FROM system.projection_parts WHERE {_OURS} AND name = 'ids' AND NOT is_broken AND rows = parent_rows)"""


def repair(engine: Engine) -> bool:
    """Rebuild the projection where it is broken or missing; say whether there was something to do. Raises StoreError where that fails."""
    for part in _names(engine, _NEWEST):
        engine.query(f"CHECK TABLE events PART '{part}' SETTINGS check_query_single_value_result = 0")  # the engine notes what is broken
    blind = _names(engine, _BLIND)
    for partition in blind:
        with engine.mutating:
            engine.command(f"ALTER TABLE events CLEAR PROJECTION ids IN PARTITION ID '{partition}' SETTINGS mutations_sync = 2")
            engine.command(f"ALTER TABLE events MATERIALIZE PROJECTION ids IN PARTITION ID '{partition}' SETTINGS mutations_sync = 2")
    if blind:
        if _names(engine, _BLIND):
            raise StoreError("the index of message ids is damaged and cannot be rebuilt; see the engine's log, or restore a backup")
        _log.warning("index of message ids rebuilt, as it was damaged", months=len(blind))
    return bool(blind)


def _names(engine: Engine, sql: str) -> list[Any]:
    return [row[0] for row in engine.query(sql)]
