"""Any OTLP endpoint over HTTP, through OpenTelemetry's exporters. May import: record, failures, address, spans, metrics; opentelemetry.

The exporters say whether a batch was taken, and no more. What they do not say, the session that they are given knows: the status, how
long to wait, and how many spans were declined in an answer of 200. It also sees to it that they do not try again by themselves.
"""

import logging
from collections.abc import Sequence
from typing import Any

import requests
from google.protobuf.message import DecodeError
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from opentelemetry.sdk.metrics.export import MetricExportResult
from opentelemetry.sdk.trace.export import SpanExportResult

from innerloop_collector.exporters.address import Address
from innerloop_collector.exporters.failures import Refusing, Rejected, SendError, Unavailable, of_no_answer, of_status, retry_after
from innerloop_collector.exporters.metrics import metrics
from innerloop_collector.exporters.record import Counted, Record
from innerloop_collector.exporters.spans import spans

logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)  # what failed is said once, by us


class _Session(requests.Session):
    """Keeps what the exporter does not pass on."""

    def __init__(self, timeout: float) -> None:
        super().__init__()
        self._timeout = timeout
        self.failure: SendError | None = None
        self.answer = b""

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        """Send a request, and note how it went."""
        self.failure, self.answer = None, b""
        try:
            response = super().send(request, **options)
        except (requests.RequestException, OSError) as error:
            self.failure = of_no_answer(error, self._timeout)
            raise self.failure from error  # of a type that the exporter does not try again
        if not response.ok or response.status_code >= 300:
            self.failure = of_status(response.status_code, retry_after(response.headers.get("Retry-After")))
            raise self.failure
        self.answer = response.content
        return response


class Otlp:
    """A way to one OTLP endpoint."""

    def __init__(self, address: Address, headers: dict[str, str], timeout: float, counted: Counted | None) -> None:
        """`counted` remembers whose metrics were taken. None: it gets no metrics."""
        self._session = _Session(timeout)
        options: dict[str, Any] = {"headers": headers, "timeout": timeout, "compression": Compression.Gzip, "session": self._session}
        self._traces = OTLPSpanExporter(f"{address.url}/v1/traces", **options)
        self._metrics = OTLPMetricExporter(f"{address.url}/v1/metrics", **options) if counted is not None else None
        self._counted = counted if counted is not None else Counted()

    def send(self, records: Sequence[Record]) -> int:
        """Deliver a batch: spans first, then metrics, unless these were taken already when it was sent before. Raises SendError."""
        made = spans(records)
        if made and self._traces.export(made) is not SpanExportResult.SUCCESS:
            raise self._why()
        declined = self._declined_spans() if made else 0
        if self._metrics is not None:
            declined += self._send_metrics(self._metrics, records)
        return declined

    def _send_metrics(self, exporter: OTLPMetricExporter, records: Sequence[Record]) -> int:
        declined = 0
        for data, runs in metrics([record for record in records if record not in self._counted]):
            if exporter.export(data) is not MetricExportResult.SUCCESS:
                why = self._why()
                if isinstance(why, Unavailable):
                    raise why
                raise Refusing(f"its metrics: {why.reason}; with metrics = false it gets none") from why
            self._counted.add(runs)
            declined += _decoded(ExportMetricsServiceResponse(), self._session.answer).partial_success.rejected_data_points
        return declined

    def _declined_spans(self) -> int:
        """An answer of 200 may say that some spans were not kept. They must not be sent again, says the protocol."""
        return int(_decoded(ExportTraceServiceResponse(), self._session.answer).partial_success.rejected_spans)

    def _why(self) -> SendError:
        return self._session.failure or Rejected("it cannot be converted")

    def close(self) -> None:
        """Close the connections."""
        self._traces.shutdown()  # type: ignore[no-untyped-call]  # the exporter's own omission
        if self._metrics is not None:
            self._metrics.shutdown()


def _decoded(message: Any, answer: bytes) -> Any:
    try:
        message.ParseFromString(answer)
    except DecodeError:
        pass  # some answer with text, or JSON
    return message
