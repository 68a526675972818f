"""A data package: CSV and Parquet files, datapackage.json as frictionlessdata.io describes it, and the same dictionary for people.

The same figures make the same bytes: nothing says when or where they were written.
"""

import csv
import hashlib
import io
from typing import Any

import msgspec
import pyarrow as pa
from pyarrow import parquet

from innerloop_collector.open_data.data_tables import Column, Table
from innerloop_collector.reports import spreadsheet
from innerloop_collector.reports.spreadsheet import harmless

DESCRIPTION = "datapackage.json"
DICTIONARY = "README.md"
MARK = "innerloop"  # a key of datapackage.json: such a directory is ours
_SCHEMA = "https://datapackage.org/profiles/2.0/datapackage.json"
_TYPES = {"string": pa.string(), "integer": pa.int64(), "boolean": pa.bool_(), "date": pa.date32(), "number": pa.float64()}
_ABOUT = (
    "Published figures of how developers wait for their commands. Each number passed rules that protect the developers behind it "
    "(at least k of them, none with over half of it), is rounded, and was published once: nothing changes it. Periods add up."
)


def package(tables: list[Table], label: str) -> dict[str, bytes]:
    """Every file of a data package, by name."""
    files = {}
    for one in tables:
        files[f"{one.name}.csv"] = _csv(one)
        files[f"{one.name}.parquet"] = _parquet(one)
    about = f"{label}. {_ABOUT}" if label else _ABOUT
    described = {
        "$schema": _SCHEMA,
        "name": "innerloop-figures",
        "title": f"Figures published by innerloop{f' ({label})' if label else ''}",
        "description": about,
        "resources": [resource for one in tables for resource in _resources(one, files)],
        MARK: {"format": 1},
    }
    files[DESCRIPTION] = msgspec.json.format(msgspec.json.encode(described), indent=2) + b"\n"
    files[DICTIONARY] = _dictionary(tables, about).encode()
    return files


def _csv(table: Table) -> bytes:
    """As RFC 4180 has it. What is absent is an empty field."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow([column.name for column in table.columns])
    writer.writerows([_field(row[column.name]) for column in table.columns] for row in table.rows)
    return text.getvalue().encode()


def _field(value: Any) -> Any:
    if isinstance(value, bool):
        return str(value).lower()
    return harmless(value) if isinstance(value, str) else value


def _parquet(table: Table) -> bytes:
    schema = pa.schema(
        [
            pa.field(one.name, _TYPES[one.kind], nullable=not one.required, metadata={"description": one.description})
            for one in table.columns
        ],
        metadata={"description": table.description},
    )
    columns = [pa.array([row[one.name] for row in table.rows]) if one.kind != "date" else _days(table, one) for one in table.columns]
    out = io.BytesIO()
    typed = [each.cast(_TYPES[one.kind]) for each, one in zip(columns, table.columns, strict=True)]
    parquet.write_table(pa.Table.from_arrays(typed, schema=schema), out, write_page_checksum=True)
    return out.getvalue()


def _days(table: Table, column: Column) -> pa.Array:
    return pa.array([row[column.name] for row in table.rows], pa.string())


def _resources(table: Table, files: dict[str, bytes]) -> list[dict[str, Any]]:
    fields = [
        {
            "name": one.name,
            "type": one.kind,
            "description": one.description,
            **({"constraints": {"required": True}} if one.required and one.kind != "string" else {}),
        }
        for one in table.columns
    ]
    schema = {"fields": fields, **({"primaryKey": list(table.key)} if table.key else {})}
    csv_bytes = files[f"{table.name}.csv"]
    checked = {"encoding": "utf-8", "bytes": len(csv_bytes), "hash": f"sha256:{hashlib.sha256(csv_bytes).hexdigest()}"}
    forms: tuple[tuple[str, str, str, dict[str, Any]], ...] = (
        ("csv", "", "text/csv", checked),
        (
            "parquet",
            "-parquet",
            "application/vnd.apache.parquet",
            {},
        ),  # whose bytes no validator counts; the format has checksums of its own
    )
    return [
        {
            "name": f"{table.name}{suffix}",
            "type": "table",
            "path": f"{table.name}.{form}",
            "description": table.description,
            "format": form,
            "mediatype": media,
            **more,
            "schema": schema,
        }
        for form, suffix, media, more in forms
    ]


def _dictionary(tables: list[Table], about: str) -> str:
    """The columns of every table, for people."""
    lines = ["# Published figures: what is in these files", "", about, ""]
    lines += [f"Each table is there as CSV and as Parquet. {spreadsheet.RULE} The same dictionary for programs is `{DESCRIPTION}`.", ""]
    for table in tables:
        lines += [f"## {table.name}", "", table.description, "", "| column | type | what it is |", "|---|---|---|"]
        lines += [f"| `{one.name}` | {one.kind} | {one.description} |" for one in table.columns]
        lines.append("")
    return "\n".join(lines)
