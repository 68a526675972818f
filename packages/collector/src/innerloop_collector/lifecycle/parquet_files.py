"""What is inside a Parquet file of a backup: its rows and columns, and the file without the rows that must go.

Nothing imports this before a backup is made or read: pyarrow takes a quarter of the time in which a collector starts.
"""

import io
from collections.abc import Callable, Collection, Mapping
from datetime import date, timedelta
from typing import NamedTuple

import pyarrow as pa
from pyarrow import compute, parquet

from innerloop_collector.config.configuration import QUARANTINE_DAYS
from innerloop_collector.errors import UsageError


class Due(NamedTuple):
    """What must go from a backup."""

    gone: Callable[[Collection[int]], set[int]]  # which of some installations
    today: date
    promised: Mapping[str, int]  # project -> days


def look(content: bytes) -> tuple[int, set[str]]:
    """How many rows there are, and the names of the columns. Raises UsageError where it is no Parquet file."""
    try:
        inside = parquet.read_metadata(io.BytesIO(content))
        return inside.num_rows, set(inside.schema.to_arrow_schema().names)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise UsageError("it is no Parquet file") from error


def without_rows(content: bytes, due: Due) -> tuple[int, bytes]:
    """How many rows stay when those that must go are gone, and the new file's content where any goes. Raises UsageError where it cannot be read."""
    try:
        table = parquet.read_table(io.BytesIO(content))
        kept = table.filter(compute.invert(_to_delete(table, due)))
        written = io.BytesIO()
        if kept.num_rows < table.num_rows:
            parquet.write_table(kept, written, compression="zstd")
    except pa.ArrowException as error:
        raise UsageError("it is no Parquet file") from error
    return kept.num_rows, written.getvalue()


def _to_delete(table: pa.Table, due: Due) -> pa.ChunkedArray:
    """Which rows must go."""
    column = table.column("installation")
    held = {int.from_bytes(value, "little") for value in compute.unique(column).to_pylist()}
    values = pa.array([one.to_bytes(16, "little") for one in due.gone(held)], column.type)
    erased = compute.is_in(column, value_set=values)
    if "keep_until" in table.column_names:
        return compute.or_(erased, _lapsed(table, due))
    if "received_day" in table.column_names:
        first = due.today - timedelta(days=QUARANTINE_DAYS)
        return compute.or_(erased, compute.less_equal(table.column("received_day"), pa.scalar(first, pa.date32())))
    return erased


def _lapsed(table: pa.Table, due: Due) -> pa.ChunkedArray:
    """Which events are past their time: what was agreed, or what the project promises now if that is less. As the sweep has it."""
    lapsed = compute.less(table.column("keep_until"), pa.scalar(due.today, pa.date32()))
    projects = compute.cast(table.column("project"), pa.string())
    days = compute.cast(table.column("corrected_time"), pa.date32(), safe=False)
    for project, promised in due.promised.items():
        late = compute.less(days, pa.scalar(due.today - timedelta(days=promised), pa.date32()))
        lapsed = compute.or_(lapsed, compute.and_(compute.equal(projects, project), late))
    return lapsed
