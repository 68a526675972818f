"""What `/metrics` shows: counts that add up, in a form that Prometheus itself accepts, and nothing of anybody."""

import os
import re
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from tests.collector.support import KEY, Collector, Owner, project, run_event
from tests.conftest import ROOT
from tests.needs import need

ONE = run_event()


def metrics(collector: Collector, **headers: str) -> str:
    """Scrape a collector."""
    response = collector.http.get(collector.url + "/metrics", headers=headers)
    assert 200 == response.status_code, response.text
    return response.text


def value(text: str, series: str) -> float:
    """The value of a series; 0 where it is not there."""
    found = re.search(rf"^{re.escape(series)} (\S+)$", text, re.MULTILINE)
    return float(found[1]) if found else 0.0


def events(text: str) -> dict[str, int]:
    """What became of the events."""
    return {
        result: int(float(count))
        for result, count in re.findall(r'^innerloop_events_total{result="(\w+)"} (\S+)$', text, re.MULTILINE)
        if float(count)
    }


@pytest.fixture(scope="module")
def busy(shared: Collector) -> Collector:
    """A collector to which everything has happened once."""
    collector = shared
    owner = Owner()
    collector.send(ONE, run_event())
    collector.send(ONE, run_event(command="not a name of the project"))
    collector.send(run_event(owner.id), owners=[owner])
    collector.forget(owner)
    collector.send(run_event(owner.id))
    collector.post("/v1/batch", b"{")
    collector.post("/v1/batch", {"batch": []}, "acme.wrong-key")
    collector.http.get(collector.url + "/home/alice/secret")
    return collector


def test_every_event_is_counted_once_by_what_became_of_it(busy: Collector) -> None:
    text = metrics(busy)

    assert {"stored": 3, "repeated": 1, "quarantined": 1, "dropped": 1} == events(text)
    assert 1 == value(text, 'innerloop_events_set_aside_total{reason="violates the plan"}')
    assert 1 == value(text, 'innerloop_events_set_aside_total{reason="id was erased"}')
    assert 4 == value(text, "innerloop_acknowledgement_seconds_count")
    assert 0 == value(text, "innerloop_queue_events")
    assert time.time() - 60 < value(text, "innerloop_last_commit_timestamp_seconds") <= time.time()


def test_what_alerts_look_at_is_there_before_it_happens(idle: Collector) -> None:
    """So that `increase()` sees the first of them."""
    text = metrics(idle.start())

    for series in (
        'innerloop_http_requests_total{method="POST",route="/v1/batch",status="503"} 0.0',
        'innerloop_events_total{result="refused"} 0.0',
        'innerloop_connections_turned_away_total{reason="connections"} 0.0',
    ):
        assert f"\n{series}\n" in text


def test_requests_are_counted_by_the_template_of_their_route(busy: Collector) -> None:
    text = metrics(busy)

    assert 4 == value(text, 'innerloop_http_requests_total{method="POST",route="/v1/batch",status="200"}')
    assert 1 == value(text, 'innerloop_http_requests_total{method="POST",route="/v1/batch",status="400"}')
    assert 1 == value(text, 'innerloop_http_requests_total{method="POST",route="/v1/batch",status="401"}')
    assert 1 == value(text, 'innerloop_http_requests_total{method="GET",route="none",status="404"}')


def test_the_state_of_store_and_disk_is_shown(busy: Collector) -> None:
    text = metrics(busy)

    assert 1 == value(text, "innerloop_store_up")
    assert 2 == value(text, 'innerloop_store_rows{table="events"}')
    assert 0 < value(text, 'innerloop_store_bytes{table="events"}')
    assert (0, 0) == (value(text, "innerloop_store_detached_parts"), value(text, "innerloop_erasures_unfinished"))
    assert 1 == value(text, "innerloop_erased_ids")
    assert 0 < value(text, "innerloop_disk_free_bytes") < value(text, "innerloop_disk_size_bytes")
    assert 0 < value(text, "process_resident_memory_bytes")
    assert re.search(r'^innerloop_build_info{engine="[\d.]+",python="[\d.]+",version="[\d.]+"} 1.0$', text, re.MULTILINE)


def test_events_that_a_full_queue_refuses_are_counted(new_collector: Callable[[], Collector]) -> None:
    """Of many requests at once only one may wait; the others are told to come back."""
    collector = new_collector()
    collector.environment["INNERLOOP_COLLECTOR_STORE_WAITING_ROWS"] = "1"
    collector.start_with()

    def send(_: int) -> int:
        return collector.post("/v1/batch", {"batch": [run_event(), run_event()]}).status_code

    refused = 0
    until = time.monotonic() + 20
    with ThreadPoolExecutor(8) as senders:
        while not refused and time.monotonic() < until:
            refused += list(senders.map(send, range(24))).count(429)

    assert 0 < refused
    assert 2 * refused == events(metrics(collector))["refused"]


def test_prometheus_accepts_the_exposition(busy: Collector) -> None:
    checked = subprocess.run([need("promtool"), "check", "metrics"], input=metrics(busy), capture_output=True, text=True, check=False)

    assert (0, "", "") == (checked.returncode, checked.stdout, checked.stderr)


def test_openmetrics_is_spoken_to_who_asks_for_it(busy: Collector) -> None:
    accept = "application/openmetrics-text;version=1.0.0;q=0.8,text/plain;version=0.0.4;q=0.3"
    response = busy.http.get(busy.url + "/metrics", headers={"Accept": accept})

    assert response.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")
    families = {family.name: family for family in text_string_to_metric_families(response.text)}
    assert {"stored", "repeated", "quarantined", "dropped", "refused"} == {
        sample.labels["result"] for sample in families["innerloop_events"].samples
    }
    assert "text/plain; version=0.0.4; charset=utf-8" == busy.http.get(busy.url + "/metrics").headers["content-type"]


def test_every_metric_is_on_its_page(busy: Collector) -> None:
    page = (ROOT / "docs" / "reference" / "metrics.md").read_text()
    listed = {name for name in re.findall(r"^\| `(innerloop_\w+)`", page, re.MULTILINE) if not re.search("destination|channel", name)}
    shown = set(re.findall(r"^# HELP (innerloop_\w+) ", metrics(busy), re.MULTILINE))

    assert listed == shown


@pytest.fixture
def prometheus(busy: Collector, tmp_path: Path) -> Iterator[str]:
    """A Prometheus that scrapes the collector; its address."""
    program = need("prometheus")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    target = busy.url.removeprefix("http://")
    configuration = tmp_path / "prometheus.yml"
    configuration.write_text(
        f"scrape_configs:\n- job_name: innerloop\n  scrape_interval: 1s\n  scrape_timeout: 1s\n  static_configs: [{{targets: ['{target}']}}]\n"
    )
    words = [f"--config.file={configuration}", f"--storage.tsdb.path={tmp_path / 'tsdb'}", f"--web.listen-address=127.0.0.1:{port}"]
    with (tmp_path / "prometheus.log").open("wb") as log:
        process = subprocess.Popen([program, *words], stdout=log, stderr=log, env={"HOME": str(tmp_path), "PATH": os.environ["PATH"]})
    yield f"http://127.0.0.1:{port}"
    process.kill()
    process.wait()


def test_prometheus_scrapes_it(busy: Collector, prometheus: str) -> None:
    deadline = time.monotonic() + 30
    found: list[str] = []
    while not found and time.monotonic() < deadline:
        time.sleep(0.2)
        try:
            asked = busy.http.get(f"{prometheus}/api/v1/query", params={"query": 'innerloop_events_total{result="stored"}'}).json()
        except OSError:
            continue
        except Exception:  # noqa: BLE001 - it is not up yet
            continue
        found = [series["value"][1] for series in asked["data"]["result"]]

    assert ["3"] == found


def test_nothing_of_anybody_is_in_the_metrics(busy: Collector) -> None:
    text = metrics(busy)

    for planted in (ONE["userId"], ONE["messageId"], KEY, KEY.partition(".")[2], "acme", "127.0.0.1", "alice", "secret", "not a name"):
        assert planted not in text


def test_projects_are_named_where_the_operator_asks_for_it(idle: Collector) -> None:
    idle.environment["INNERLOOP_COLLECTOR_SERVER_METRICS_PER_PROJECT"] = "true"
    idle.start_with()
    idle.send(run_event())

    assert 1 == value(metrics(idle), 'innerloop_events_total{project="acme",result="stored"}')


def test_metrics_are_for_this_machine_and_for_who_shows_the_token(idle: Collector) -> None:
    token = idle.directory / "metrics-token"
    token.write_text("scrape-me-if-you-can\n")
    idle.environment["INNERLOOP_COLLECTOR_SERVER_METRICS_TOKEN_FILE"] = str(token)
    idle.start_with()

    def status(**headers: str) -> int:
        return idle.http.get(idle.url + "/metrics", headers={name.replace("_", "-"): text for name, text in headers.items()}).status_code

    assert 200 == status()
    for header in ("X_Forwarded_For", "Forwarded", "Via", "X_Real_IP"):  # by a proxy on this machine, for somebody else
        assert 403 == status(**{header: "203.0.113.9"})
        assert 403 == status(**{header: "203.0.113.9", "Authorization": "Bearer guessed"})
        assert 200 == status(**{header: "203.0.113.9", "Authorization": "Bearer scrape-me-if-you-can"})


def test_metrics_can_be_kept_from_this_machine_too(idle: Collector) -> None:
    idle.environment["INNERLOOP_COLLECTOR_SERVER_METRICS_LOCAL"] = "false"
    idle.start_with()

    assert 403 == idle.http.get(idle.url + "/metrics").status_code
    assert 403 == idle.http.get(idle.url + "/metrics", headers={"Authorization": "Bearer"}).status_code


def test_a_skewed_clock_shows_and_a_late_event_counts_as_dropped(idle: Collector) -> None:
    idle.start_with(project(project={"retention_days": 30}))
    idle.send(run_event(ago=timedelta(days=40)), sent_at=(datetime.now(UTC) + timedelta(hours=2)).isoformat())
    text = metrics(idle)

    assert {"dropped": 1} == events(text)
    assert (0, 1) == (
        value(text, 'innerloop_client_clock_skew_seconds_bucket{le="3600.0"}'),
        value(text, "innerloop_client_clock_skew_seconds_count"),
    )


def test_a_token_that_is_not_there_is_said_in_one_line(idle: Collector) -> None:
    idle.environment["INNERLOOP_COLLECTOR_SERVER_METRICS_TOKEN_FILE"] = "/nowhere/token"
    done = idle.cli("serve", "--port", "0")

    assert (1, "innerloop-collector: cannot read /nowhere/token, the metrics_token_file: No such file or directory") == (
        done.returncode,
        done.stderr.strip(),
    )
