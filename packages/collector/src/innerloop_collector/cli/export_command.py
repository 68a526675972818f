# ruff: noqa: PLC0415 - `--help` and usage errors need not wait for what writes Parquet to be imported
"""`export`: published figures as files."""

from pathlib import Path

import click
import msgspec

from innerloop_collector.cli.shared import Place, as_json, call, located, show
from innerloop_collector.errors import CollectorError


@click.command()
@click.argument("directory", metavar="DIR")
@located
@click.option("--public", is_flag=True, help="Export what is open to everybody. Nothing else is exported, so this must be said.")
@click.option("--project", metavar="ID", help="Only of this project (default: of all that open their figures).")
@click.option("--throw-away", is_flag=True, help="Also from a throw-away store: every table and file says that it is one.")
@as_json
def export(place: Place, directory: str, public: bool, project: str | None, throw_away: bool, as_json: bool) -> None:
    """Write published figures that are open to everybody into DIR, as CSV and Parquet with a data dictionary. DIR is new, empty, or of an earlier export."""
    from innerloop_collector.open_data.data_package import package
    from innerloop_collector.open_data.data_tables import read, tables
    from innerloop_collector.open_data.directory import write

    if not public:
        raise click.UsageError("say --public: only figures that are open to everybody are exported")
    try:
        data = read(call(place, "export", project=project, throw_away=throw_away))
    except msgspec.ValidationError as error:
        raise CollectorError(f"the answer is not what this version reads ({error}); use the same version at both ends") from error
    made = tables(data)
    write(Path(directory), package(made, data.label))
    answer = {"directory": directory, "label": data.label, "rows": {one.name: len(one.rows) for one in made}}
    show(answer, as_json, _written)


def _written(answer: dict[str, object]) -> str:
    rows = answer["rows"]
    assert isinstance(rows, dict)
    label = f"{answer['label']}\n" if answer["label"] else ""
    return f"{label}{answer['directory']}: {', '.join(f'{count} {name}' for name, count in rows.items())}"
