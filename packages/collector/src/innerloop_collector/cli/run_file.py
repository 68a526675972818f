"""Runs out of a Parquet file, for who has runs and no store. docs/reference/impact-file.md documents its columns.

The file may be anybody's: it is bounded before it is read, and what it holds is checked.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from innerloop_collector.analysis.impact.collapse import Outcome, collapse
from innerloop_collector.analysis.impact.panel import Codes, Panel
from innerloop_collector.analysis.impact.question import Invalid
from innerloop_collector.errors import UsageError

MOST_ROWS = 20_000_000
MOST_BYTES = 4 << 30  # of the columns, decompressed
MOST_NAMES = 100_000  # developers, targets or projects
_MOST_WEEKS = 520
_DAY = 86_400
_FIRST_YEAR, _WEEKS_A_YEAR = 1900, 53
_OUTCOMES = {"succeeded": Outcome.SUCCEEDED, "failed": Outcome.FAILED, "interrupted": Outcome.INTERRUPTED}
_MAY_LACK = ("work", "exposed", "waiting")  # a value in some rows, or in all
_NAMES, _OPTIONAL = ("user", "target", "project", "outcome"), ("project", "work", "exposed", "waiting")
_KINDS = {
    "user": "text or whole numbers", "target": "text or whole numbers", "project": "text or whole numbers", "outcome": "text", "duration_ms": "numbers",
    "week": "whole numbers", "time": "dates or timestamps", "work": "whole numbers", "exposed": "true or false (or 1 and 0)", "waiting": "true or false (or 1 and 0)",
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class RunFile:
    """A panel, and what its targets and projects are called. Weeks count from the change."""

    panel: Panel
    targets: dict[str, int]
    projects: dict[str, int]


def read_runs(file: Path, since: date | int, *, by_exposure: bool = False) -> RunFile:
    """Read runs and add them up, in weeks that begin on the weekday of `since`, or in the file's own where that is a number. Raises UsageError.

    In the file's own weeks the column `time` only tells first exposed runs: where it is of another type, it is read `by_exposure` alone, and refused.
    """
    try:
        table = _table(file, with_time=isinstance(since, date), by_exposure=by_exposure)
        return _collapsed(table, since)
    except Invalid as error:
        raise UsageError(f"{file}: {error}") from error
    except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
        reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise UsageError(f"{file} cannot be read as Parquet: {reason}") from error


def _table(file: Path, *, with_time: bool, by_exposure: bool) -> Any:
    if not file.is_file():
        raise UsageError(f"{file} is no file")
    with pq.ParquetFile(file) as source:
        about, schema = source.metadata, source.schema_arrow
        if about.num_rows > MOST_ROWS:
            raise UsageError(f"{file} holds {about.num_rows} runs, and {MOST_ROWS} are the most")
        needed = ["user", "target", "time" if with_time else "week", "duration_ms", "outcome"]
        columns = [*needed, *(name for name in (*_OPTIONAL, "time") if name in schema.names and name not in needed)]
        if lacking := [name for name in needed if name not in schema.names]:
            hint = "; with --week the weeks are numbers in the column week" if "time" in lacking and "week" in schema.names else ""
            raise UsageError(f"{file} has no column {', '.join(lacking)}{hint}")
        if repeated := [name for name in columns if schema.names.count(name) > 1]:
            raise UsageError(f"{file} has the column {repeated[0]} twice")
        if not (with_time or by_exposure) and "time" in columns and not _fits("time", schema.field("time").type):
            columns.remove("time")
        for name in columns:
            if not _fits(name, schema.field(name).type):
                raise UsageError(f"{file}: the column {name} holds {schema.field(name).type}, and {_KINDS[name]} are needed")
        if _size(about, columns) > MOST_BYTES:
            raise UsageError(f"{file} holds more than {MOST_BYTES >> 30} GiB in these columns")
    table = pq.read_table(file, columns=columns, read_dictionary=[name for name in columns if name in _NAMES])
    if not table.num_rows:
        raise UsageError(f"{file} holds no run")
    return table


def _size(about: Any, columns: list[str]) -> int:
    """How much the columns are when decompressed."""
    total = 0
    for group in range(about.num_row_groups):
        parts = about.row_group(group)
        for number in range(parts.num_columns):
            part = parts.column(number)
            total += part.total_uncompressed_size if part.path_in_schema in columns else 0
    return total


def _fits(name: str, kind: Any) -> bool:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    text, whole = _is_text(kind), pa.types.is_integer(kind)
    if pa.types.is_null(kind):
        return name in _MAY_LACK
    match name:
        case "outcome":
            return bool(text)
        case "user" | "target" | "project":
            return bool(text or whole)
        case "duration_ms":
            return bool(whole or pa.types.is_floating(kind) or pa.types.is_decimal(kind))
        case "time":
            return bool(pa.types.is_timestamp(kind) or pa.types.is_date(kind))
        case "exposed" | "waiting":
            return bool(whole or pa.types.is_boolean(kind))
        case "work":
            return bool(whole or pa.types.is_floating(kind))  # of whole numbers, some of which are missing
        case _:
            return bool(whole)


def _is_text(kind: Any) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _collapsed(table: Any, since: date | int) -> RunFile:
    user, _ = _coded(table, "user")
    target, targets = _coded(table, "target")
    project, projects = _coded(table, "project") if "project" in table.column_names else (np.zeros(len(user), dtype=np.int64), {})
    seconds = _seconds(table) if "time" in table.column_names else None
    weeks = _weeks(seconds, since) if seconds is not None and isinstance(since, date) else _whole(table, "week")
    if not isinstance(since, date):
        _consecutive(weeks)
    if int(weeks.max()) - int(weeks.min()) > _MOST_WEEKS:
        raise Invalid(f"the runs lie more than {_MOST_WEEKS} weeks apart")
    panel = collapse(
        user=user,
        target=target,
        project=project,
        week=weeks,
        ms=_durations(table),
        outcome=_outcomes(table),
        work=_whole(table, "work", -1) if "work" in table.column_names else None,
        exposed=_truth(table, "exposed", -1) if "exposed" in table.column_names else None,
        start=seconds,
        waiting=_truth(table, "waiting", 1) if "waiting" in table.column_names else None,
    )
    return RunFile(panel, targets, projects)


def _consecutive(weeks: Codes) -> None:
    """Refuse numbers such as 202552, which make a gap of every new year."""
    least, most = int(weeks.min()), int(weeks.max())
    if least >= _FIRST_YEAR * 100 and least // 100 != most // 100 and ((weeks % 100 >= 1) & (weeks % 100 <= _WEEKS_A_YEAR)).all():
        raise Invalid(f"the column week holds {least} to {most}, which look like years and weeks; the next week must have the next number")


def _complete(table: Any, name: str) -> Any:
    column = table.column(name).combine_chunks()
    column = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if column.null_count:
        raise Invalid(f"the column {name} holds {column.null_count} missing values")
    return column


def _coded(table: Any, name: str) -> tuple[Codes, dict[str, int]]:
    """Numbers in place of names, in the names' order."""
    column = _complete(table, name)
    column = column.cast(pa.large_string()) if pa.types.is_string_view(column.type) else column
    column = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    names, order = np.unique([str(one) for one in column.dictionary.to_pylist()], return_inverse=True)
    if len(names) > MOST_NAMES:
        raise Invalid(f"the column {name} holds {len(names)} names, and {MOST_NAMES} are the most")
    codes = order[column.indices.to_numpy(zero_copy_only=False)].astype(np.int64)
    return codes, {str(one): number for number, one in enumerate(names)}


def _durations(table: Any) -> Any:
    durations = _complete(table, "duration_ms").cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    if not np.isfinite(durations).all() or (durations < 0).any():
        raise Invalid("the column duration_ms holds a number that is missing, infinite or negative")
    return durations


def _outcomes(table: Any) -> Codes:
    codes, names = _coded(table, "outcome")
    if strange := [name for name in names if name not in _OUTCOMES]:
        raise Invalid(f"the column outcome holds {strange[0][:50]!r}, and {', '.join(_OUTCOMES)} are what there is")
    return np.array([_OUTCOMES[name] for name in names], dtype=np.int64)[codes]


def _seconds(table: Any) -> Codes:
    column = _complete(table, "time")
    if pa.types.is_timestamp(column.type) and column.type.tz is None:
        column = column.cast(pa.timestamp(column.type.unit, "UTC"))
    moments: Codes = column.cast(pa.timestamp("s", "UTC"), safe=False).cast(pa.int64()).to_numpy(zero_copy_only=False).astype(np.int64)
    return moments


def _weeks(seconds: Codes, since: date) -> Codes:
    start = int(datetime(since.year, since.month, since.day, tzinfo=UTC).timestamp())
    return (seconds - start) // (7 * _DAY)


def _whole(table: Any, name: str, missing: int | None = None) -> Codes:
    if missing is None:
        column = _complete(table, name)
    else:
        column = table.column(name).combine_chunks()
        if pa.types.is_floating(column.type):
            column = _of_floats(column, name)
        column = pc.fill_null(column.cast(pa.int64()), missing)
    codes: Codes = column.cast(pa.int64()).to_numpy(zero_copy_only=False).astype(np.int64)
    return codes


def _of_floats(column: Any, name: str) -> Any:
    """Whole numbers of a column in which what is missing is no number."""
    column = pc.if_else(pc.is_nan(column), None, column)
    if not pc.all(pc.equal(pc.floor(column), column), min_count=0).as_py():
        raise Invalid(f"the column {name} holds a number that is not whole")
    return column


def _truth(table: Any, name: str, missing: int) -> Codes:
    column = table.column(name)
    codes = _whole(table.set_column(table.column_names.index(name), name, column.cast(pa.int64())), name, missing)
    if not np.isin(codes, (0, 1, missing)).all():
        raise Invalid(f"the column {name} holds a number that is neither 0 nor 1")
    return codes


def codes_of(names: tuple[str, ...], known: dict[str, int], what: str) -> frozenset[int] | None:
    """Numbers of names. None: no name is given. Raises UsageError for one that the file does not hold."""
    if unknown := [name for name in names if name not in known]:
        raise UsageError(f"the file holds no {what} {unknown[0][:80]!r}")
    return frozenset(known[name] for name in names) or None
