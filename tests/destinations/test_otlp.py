"""What an OTLP endpoint gets: a run as a trace, its targets as spans, durations and failures as metrics, by standard names."""

import contextlib
from datetime import UTC, datetime
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from innerloop_collector.config.configuration import Destination
from innerloop_collector.exporters.address import check
from innerloop_collector.exporters.failures import Refusing, Unavailable
from innerloop_collector.exporters.record import Record, Taken
from innerloop_collector.exporters.senders import open_sender
from tests.collector.support import run_event, target_event
from tests.destinations.receivers import Answer, Receiver
from tests.destinations.support import PSEUDONYM, SECRET, WITHOUT_ID, Configured, project

MILLISECOND = 1_000_000


def attributes(thing: dict[str, Any]) -> dict[str, Any]:
    """Attributes as a plain dict; numbers as numbers."""
    found = {}
    for one in thing.get("attributes", ()):
        ((kind, value),) = one["value"].items()
        found[one["key"]] = int(value) if kind == "intValue" else value
    return found


def metrics(receiver: Receiver) -> dict[str, list[dict[str, Any]]]:
    """The data points that were received, by metric."""
    found: dict[str, list[dict[str, Any]]] = {}
    for request in receiver.requests:
        if request.path != "/v1/metrics":
            continue
        for resource in MessageToDict(request.message)["resourceMetrics"]:
            for metric in resource["scopeMetrics"][0]["metrics"]:
                data = metric.get("histogram") or metric["sum"]
                assert "AGGREGATION_TEMPORALITY_DELTA" == data["aggregationTemporality"]
                found.setdefault(metric["name"], []).extend(data["dataPoints"])
    return found


def test_a_run_is_a_trace_and_its_targets_are_spans_below_it(configured: Configured, receiver: Receiver) -> None:
    configured.destination("traces", "otlp", receiver, key_header="x-honeycomb-team").start(project(("Metrics Ltd", WITHOUT_ID)))
    run = run_event(exit_status=2, duration_ms=5000, targets=3, targets_failed=1)
    outer = target_event(run, "build", sequence=1, parent=0, offset_ms=100, duration_ms=4000, exit_status=2)
    inner = target_event(run, "lint", sequence=2, parent=1, offset_ms=200, duration_ms=3000)
    beside = target_event(run, "docs", sequence=3, parent=1, offset_ms=1000, duration_ms=1500)
    other = run_event(exit_status=-2)
    configured.send(run, outer, inner, beside, other)
    receiver.wait_for(lambda it: len(it.events) == 5 and any(request.path == "/v1/metrics" for request in it.requests))

    assert SECRET == receiver.requests[0].headers["x-honeycomb-team"]
    spans = {(span["name"], attributes(span).get("process.exit.code")): span for span in receiver.events}
    root, build, lint, docs = spans["test", 2], spans["build", 2], spans["lint", 0], spans["docs", 0]
    assert 1 == len({span["traceId"] for span in (root, build, lint, docs)})
    assert root["traceId"] != spans["test", -2]["traceId"]
    assert "parentSpanId" not in root
    assert (root["spanId"], build["spanId"], build["spanId"]) == (build["parentSpanId"], lint["parentSpanId"], docs["parentSpanId"])

    def when(span: dict[str, Any]) -> tuple[int, int]:
        begin = int(span["startTimeUnixNano"])
        return (begin - int(root["startTimeUnixNano"])) // MILLISECOND, (int(span["endTimeUnixNano"]) - begin) // MILLISECOND

    assert [(0, 5000), (100, 4000), (200, 3000), (1000, 1500)] == [when(span) for span in (root, build, lint, docs)]
    assert ["STATUS_CODE_ERROR", "STATUS_CODE_ERROR", None, None] == [span["status"].get("code") for span in (root, build, lint, docs)]
    seen = attributes(root)
    expected = {
        "process.executable.name": "make", "process.exit.code": 2, "error.type": "2", "cicd.pipeline.name": "test",
        "cicd.pipeline.result": "failure", "os.type": "linux", "host.arch": "amd64", "innerloop.project": "acme",
        "innerloop.actor": "human", "innerloop.git_checked_out_master": True,
    }  # fmt: skip
    assert expected == {name: seen.get(name) for name in expected}
    assert ("cancellation", "SIGINT") == tuple(attributes(spans["test", -2])[name] for name in ("cicd.pipeline.result", "error.type"))
    assert ("build", "failure") == tuple(attributes(build)[f"cicd.pipeline.task.{name}"] for name in ("name", "run.result"))
    assert "error.type" not in attributes(lint)
    assert not any("installation" in name for name in seen)
    resource = MessageToDict(receiver.requests[0].message)["resourceSpans"][0]
    assert "https://opentelemetry.io/schemas/1.44.0" == resource["schemaUrl"] == resource["scopeSpans"][0]["schemaUrl"]
    assert "acme" == attributes(resource["resource"])["service.name"]


@pytest.mark.slow
def test_durations_and_failures_of_runs_are_metrics(configured: Configured, receiver: Receiver) -> None:
    configured.destination("traces", "otlp", receiver).start(project(("Metrics Ltd", WITHOUT_ID)))
    runs = [run_event(duration_ms=milliseconds, exit_status=status) for milliseconds, status in ((300, 0), (700, 0), (40_000, 1))]
    configured.send(*runs, target_event(runs[0]))
    receiver.wait_for(lambda it: len(metrics(it).get("cicd.pipeline.run.errors", ())) == 1)

    points = {attributes(point)["cicd.pipeline.result"]: point for point in metrics(receiver)["cicd.pipeline.run.duration"]}
    assert ("2", 1.0) == (points["success"]["count"], points["success"]["sum"])
    assert ("1", 40.0) == (points["failure"]["count"], points["failure"]["sum"])
    bounds, counts = points["failure"]["explicitBounds"], points["failure"]["bucketCounts"]
    assert "1" == counts[next(place for place, bound in enumerate(bounds) if bound >= 40)]
    (errors,) = metrics(receiver)["cicd.pipeline.run.errors"]
    assert ("1", "1", "test") == (errors["asInt"], attributes(errors)["error.type"], attributes(errors)["cicd.pipeline.name"])


@pytest.mark.slow
def test_a_pseudonym_is_an_attribute_of_spans_and_of_no_metric(configured: Configured, receiver: Receiver) -> None:
    configured.destination("traces", "otlp", receiver).start(project(("Metrics Ltd", PSEUDONYM)))
    configured.send(run_event("somebody"))
    receiver.wait_for(lambda it: len(it.requests) == 2)
    (span,) = receiver.events
    name = attributes(span)["innerloop.installation"]

    assert name.encode() not in receiver.requests[1].body


@pytest.mark.slow
def test_targets_that_come_later_find_their_run(configured: Configured, receiver: Receiver) -> None:
    """Ids are made from the run's, so it takes no memory; after a restart they are the same."""
    configured.destination("traces", "otlp", receiver).start(project(("Metrics Ltd", WITHOUT_ID)))
    run = run_event()
    later = target_event(run)
    configured.send(run)
    receiver.wait_for(lambda it: len(it.events) == 1)
    configured.collector.stop()
    configured.start(project(("Metrics Ltd", WITHOUT_ID)))
    configured.send(later)
    root, span = receiver.wait_for(lambda it: len(it.events) == 2).events

    assert (root["traceId"], root["spanId"]) == (span["traceId"], span["parentSpanId"])


@pytest.mark.slow
def test_spans_that_are_declined_in_an_answer_of_200_are_counted_and_not_sent_again(configured: Configured, receiver: Receiver) -> None:
    declined = ExportTraceServiceResponse()
    declined.partial_success.rejected_spans = 1
    points = ExportMetricsServiceResponse()
    points.partial_success.rejected_data_points = 2
    receiver.say = lambda it: Answer(body=(declined if it.path == "/v1/traces" else points).SerializeToString())
    configured.destination("traces", "otlp", receiver).start(project(("Metrics Ltd", WITHOUT_ID)))
    configured.send(run_event(), run_event())
    status = configured.wait("traces", lambda it: it["sent"] == 2)

    assert 3 == status["declined"]
    assert 2 == len(receiver.events)


@pytest.mark.slow
def test_an_endpoint_without_metrics_is_said_to_be_one(configured: Configured, receiver: Receiver) -> None:
    receiver.say = lambda it: Answer(404 if it.path == "/v1/metrics" else 200)
    configured.destination("traces", "otlp", receiver).start(project(("Metrics Ltd", WITHOUT_ID)))
    configured.send(run_event())

    assert "metrics = false" in configured.wait("traces", lambda it: it["failures"] > 3)["last_error"]
    assert 1 == len(receiver.events), "its spans were taken at once"


def test_of_a_batch_that_is_sent_again_nothing_is_sent_that_was_taken_before(receiver: Receiver) -> None:
    """A metric would count twice, and where metrics are refused for days, so would every span in between. Also where another way is opened."""
    day, now = datetime.now(UTC).date(), datetime.now(UTC)
    fields: dict[str, Any] = {"duration_ms": 1_000, "command": "test"}
    runs = [
        Record(place, day, name, "run", "run", now, fields, {}, str(place), "nobody", None, place, place, 0)
        for place, name in ((1, "a"), (2, "b"))
    ]
    settings = Destination(kind="otlp", recipient="x", endpoint=receiver.url)
    taken = Taken()
    one_declined = ExportTraceServiceResponse()
    one_declined.partial_success.rejected_spans = 1
    answers = iter([503, 200, 200, 503, 401, 200])  # spans; spans, metrics of a, of b; of b; of b; nothing
    receiver.say = lambda it: Answer(next(answers), body=one_declined.SerializeToString() if it.path == "/v1/traces" else b"")
    declined = []
    for expected in (Unavailable, Unavailable, Refusing, None, None):
        sender = open_sender(settings, check("x", settings), taken, lambda: now)
        with contextlib.closing(sender), pytest.raises(expected) if expected else contextlib.nullcontext():
            declined.append(sender.send(runs))

    points = metrics(receiver)["cicd.pipeline.run.duration"]
    assert [1, 1] == [int(point["count"]) for point in points]
    assert 2 == len(receiver.events)
    assert [1, 0] == declined, "what was declined is told once, when the whole batch was taken"
