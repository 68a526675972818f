"""A real build, measured by the real client, sent to somebody else's receiver and read back through its API."""

import itertools
import shutil
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.client.people import Developer
from tests.collector.support import KEY, Collector
from tests.conftest import ROOT, Installed
from tests.destinations import phoenix

LUA = ROOT / ".cache" / "lua-5.1"
NAMES = ["posix", "all", "lua", "luac", "liblua.a", "lua.o", "luac.o", *(f"{path.stem}.o" for path in sorted((LUA / "src").glob("*.c")))]
RECIPIENT = {"name": "Metrics Ltd", "receives": "rows without an id"}


def _joined(installed: Installed, collector: Collector, home: Path) -> Developer:
    """A developer with a checkout of Lua, who said yes to passing rows on."""
    developer = Developer(installed.innerloop, home, collector.url)
    developer.env.pop("INNERLOOP_PROBE")
    project = {"id": "acme", "name": "Acme", "organisation": "Acme Ltd", "endpoint": collector.url, "write_key": KEY}
    developer.project(project=project, names={"allow": sorted(set(NAMES))}, recipients=[RECIPIENT])
    shutil.copytree(LUA, developer.directory, dirs_exist_ok=True)
    collector.ask("projects", "apply", str(developer.project_file))
    developer.opt_in("yes")
    return developer


class Span(NamedTuple):
    """What there is of a run or a target, on both sides."""

    name: str
    parent: str  # its name; empty: none
    offset: int  # ms from the run's start
    duration: int  # ms
    failed: bool

    def overlaps(self, other: "Span") -> bool:
        """Whether both were under way at once."""
        return self.offset < other.offset + other.duration and other.offset < self.offset + self.duration


def _received(spans: list[dict[str, Any]]) -> list[Span]:
    """The spans of one trace."""
    names = {span["context"]["span_id"]: span["name"] for span in spans}
    (begin,) = [span["start_time"] for span in spans if span["parent_id"] is None]

    def milliseconds(start: str, end: str) -> int:
        return round((datetime.fromisoformat(end) - datetime.fromisoformat(start)) / timedelta(milliseconds=1))

    return sorted(
        Span(
            span["name"], names.get(span["parent_id"], ""), milliseconds(begin, span["start_time"]),
            milliseconds(span["start_time"], span["end_time"]), span["status_code"] == "ERROR",
        )
        for span in spans
    )  # fmt: skip


def _sent(events: list[dict[str, Any]]) -> list[Span]:
    """The same, of what the client sent of one run."""
    (run,) = [event["properties"] for event in events if event["event"] == "innerloop.run"]
    targets = [event["properties"] for event in events if event["event"] == "innerloop.target"]
    names = {0: run["command"]} | {target["sequence"]: target["target"] for target in targets}
    found = [Span(run["command"], "", 0, run["duration_ms"], run["exit_status"] != 0)]
    return sorted(found + [Span(t["target"], names[t["parent"]], t["offset_ms"], t["duration_ms"], t["exit_status"] != 0) for t in targets])


def _grouped(things: list[dict[str, Any]], outer: str, inner: str) -> list[list[dict[str, Any]]]:
    groups: dict[str, list[dict[str, Any]]] = {}
    for thing in things:
        groups.setdefault(thing[outer][inner], []).append(thing)
    return sorted(groups.values(), key=len)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_real_build_comes_back_from_phoenix_as_it_was_measured(idle: Collector, installed: Installed, tmp_path: Path) -> None:
    (tmp_path / "phoenix").mkdir()
    with phoenix.running(tmp_path / "phoenix") as receiver:
        section = f'[destinations.phoenix]\nkind = "otlp"\nrecipient = "Metrics Ltd"\nendpoint = "{receiver.url}"\nmetrics = false\n'
        (idle.directory / "collector.toml").write_text(section)
        idle.environment["INNERLOOP_COLLECTOR_CONFIG"] = str(idle.directory / "collector.toml")
        idle.start_with()
        developer = _joined(installed, idle, tmp_path / "developer")
        assert 0 == developer.run("make", "-j2", "posix").status
        assert 0 != developer.run("make", "posix", "CC=false", "-B").status
        assert 0 == developer.flush().status
        sent = [event for one in developer.innerloop("show", "sent", "--json").json for event in one.get("batch", [one])]
        assert {} == idle.reasons()
        spans = receiver.spans(len(sent))

    assert len(sent) == len(spans)
    failed, built = (_received(one) for one in _grouped(spans, "context", "trace_id"))
    assert [failed, built] == [_sent(one) for one in _grouped(sent, "properties", "run")]
    assert len(built) > 30
    assert any(one.overlaps(other) for one, other in itertools.combinations(built, 2) if one.parent == other.parent), "-j2 runs two at once"
    assert not any(span.failed for span in built)
    assert all(span.failed for span in failed if not span.parent)
