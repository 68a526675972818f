"""A run as a trace: the run is its root span, its targets are the spans below.

Pseudonyms follow OpenTelemetry's semantic conventions for command lines and for CI/CD where they fit; what they have no name for is
`innerloop.*`. Ids are made from the run's, so a span that is sent twice is the same span, and targets that come later find their run.
"""

import signal
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.semconv._incubating.attributes import cicd_attributes as cicd
from opentelemetry.semconv._incubating.attributes import host_attributes as host
from opentelemetry.semconv._incubating.attributes import os_attributes as system
from opentelemetry.semconv._incubating.attributes import process_attributes as process
from opentelemetry.semconv.attributes import error_attributes as error
from opentelemetry.semconv.attributes import service_attributes as service
from opentelemetry.semconv.schemas import Schemas
from opentelemetry.trace import SpanContext, SpanKind, TraceFlags
from opentelemetry.trace.status import Status, StatusCode

from innerloop_collector import __version__
from innerloop_collector.exporters.record import Record, Value

SCHEMA = Schemas.V1_44_0.value
SCOPE = InstrumentationScope("innerloop", __version__, SCHEMA)
_OTHERS = {"exit_status", "os", "arch", "start_time", "parent"}  # said by attributes of the conventions, or by the span itself
_OS = {"linux": "linux", "wsl": "linux", "macos": "darwin"}
_ARCH = {"x86_64": "amd64", "arm64": "arm64"}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Attributes = dict[str, str | bool | int | float]


def resource(project: str) -> Resource:
    """Where a project's spans and metrics come from: one service for each project."""
    return Resource({service.SERVICE_NAME: project, "service.namespace": "innerloop"}, SCHEMA)


def spans(records: Sequence[Record]) -> list[ReadableSpan]:
    """The spans of runs and targets. What people answered is no span."""
    resources = {record.project: resource(record.project) for record in records}
    return [_span(record, resources[record.project]) for record in records if record.kind in {"run", "target"}]


def _span(record: Record, origin: Resource) -> ReadableSpan:
    start = nanoseconds(record.time) + number(record, "offset_ms") * 1_000_000
    kind = SpanKind.INTERNAL
    return ReadableSpan(
        name=text(record, "target") or text(record, "command") or record.kind,
        context=_context(record.trace, record.span),
        parent=_context(record.trace, record.parent) if record.parent else None,
        resource=origin,
        attributes=_attributes(record),
        kind=kind,
        status=Status(StatusCode.ERROR) if failed(record) else Status(StatusCode.UNSET),
        start_time=start,
        end_time=start + number(record, "duration_ms") * 1_000_000,
        instrumentation_scope=SCOPE,
    )


def _context(trace: int, span: int) -> SpanContext:
    return SpanContext(trace, span, is_remote=False, trace_flags=TraceFlags(TraceFlags.SAMPLED))


def _attributes(record: Record) -> Attributes:
    made: Attributes = {f"innerloop.{name}": _plain(value) for name, value in record.fields.items() if name not in _OTHERS}
    made |= {"innerloop.project": record.project, "innerloop.message_id": record.message}
    if record.person is not None:
        made["innerloop.installation"] = record.person
    made |= outcome(record)
    if record.kind == "target":
        made |= {cicd.CICD_PIPELINE_TASK_NAME: text(record, "target"), cicd.CICD_PIPELINE_TASK_RUN_ID: f"{record.span:016x}"}
        return made
    executable = "make" if text(record, "command_type") == "make" else text(record, "command")
    named = {
        process.PROCESS_EXECUTABLE_NAME: executable,
        cicd.CICD_PIPELINE_NAME: text(record, "command"),
        cicd.CICD_PIPELINE_RUN_ID: f"{record.trace:032x}",
        system.OS_TYPE: _OS.get(text(record, "os"), ""),
        host.HOST_ARCH: _ARCH.get(text(record, "arch"), ""),
    }
    return made | {name: value for name, value in named.items() if value}


def outcome(record: Record) -> Attributes:
    """How a run or a target ended, as the conventions say it. Nothing where it is not known."""
    status = record.fields.get("exit_status")
    if not isinstance(status, int):
        return {}
    made: Attributes = {process.PROCESS_EXIT_CODE: status}
    made[cicd.CICD_PIPELINE_RESULT if record.kind == "run" else cicd.CICD_PIPELINE_TASK_RUN_RESULT] = _result(status)
    if status:
        made[error.ERROR_TYPE] = _signal(-status) if status < 0 else str(status)
    return made


def _result(status: int) -> str:
    if not status:
        return "success"
    return "cancellation" if status in {-signal.SIGINT, 128 + signal.SIGINT} else "failure"


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return str(-number)


def failed(record: Record) -> bool:
    """Tell whether a run or a target did not end well."""
    return number(record, "exit_status") != 0


def text(record: Record, name: str) -> str:
    """Read a field of text; empty where it is absent."""
    value = record.fields.get(name)
    return value if isinstance(value, str) else ""


def number(record: Record, name: str) -> int:
    """Read a field that is a number; 0 where it is absent."""
    value = record.fields.get(name)
    return value if isinstance(value, int) else 0


def nanoseconds(time: datetime) -> int:
    """An instant as OpenTelemetry counts it."""
    return (time - _EPOCH) // timedelta(microseconds=1) * 1_000


def _plain(value: Value) -> str | bool | int:
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value
