"""Figures of one project that cannot be published hold up no other project's, and none of its rows goes before they are."""

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.collector.support import Collector, project, run_event

HERE = Path(__file__).parents[2]
SHORT = {"retention_days": 10}


def sweep(collector: Collector, failing: str, days: int) -> dict[str, Any]:
    """Sweep some days from now, with a source of rows that fails for one project."""
    moment = (datetime.now(UTC) + timedelta(days=days)).isoformat()
    command = [sys.executable, "-m", "tests.collector.sweep_without_a_project", str(collector.data), failing, moment]
    done = subprocess.run(command, cwd=HERE, env=collector.environment, capture_output=True, text=True, timeout=60, check=False)
    assert 0 == done.returncode, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer | {"log": done.stderr}


@pytest.mark.slow
def test_the_others_are_published_and_its_rows_stay_until_its_figures_are(idle: Collector) -> None:
    idle.start_with(project(project=SHORT))
    idle.apply(project(project={"id": "other", "write_key": "other.to-be-created", **SHORT}))
    other = idle.cli("keys", "create", "other").stdout.strip()
    idle.send(run_event())
    idle.send(run_event(), key=other)
    idle.stop()

    held = sweep(idle, "other", 20)
    assert (["acme"], ["other"], ["acme"]) == (held["published"], held["unpublished"], held["gone"])
    assert [True] == [
        "the figures of other that are due could not be published (its rows cannot be read)" in one for one in held["findings"]
    ]
    assert "figures not published" in held["log"]
    again = sweep(idle, "nobody", 20)
    assert (["other"], [], ["other"], []) == (again["published"], again["unpublished"], again["gone"], again["findings"])
