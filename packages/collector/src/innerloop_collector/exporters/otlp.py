"""Any OTLP endpoint over HTTP, through OpenTelemetry's exporters.

The exporters say whether a batch was taken, and no more. What they do not say, the session that they are given knows: the status, how
long to wait, and how many spans were declined in an answer of 200. It also sees to it that they do not try again by themselves.
"""

from collections.abc import Sequence
from typing import Any

import requests
import urllib3
from google.protobuf.message import DecodeError
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from opentelemetry.sdk.metrics.export import MetricExportResult
from opentelemetry.sdk.trace.export import SpanExportResult

from innerloop_collector.exporters import answers
from innerloop_collector.exporters.address import Address
from innerloop_collector.exporters.failures import Refusing, Rejected, SendError, Unavailable, of_no_answer, of_status, retry_after
from innerloop_collector.exporters.otlp_metrics import metrics
from innerloop_collector.exporters.otlp_spans import spans
from innerloop_collector.exporters.record import Record, Taken

_SPANS, _METRICS = "spans", "metrics"


class _Session(requests.Session):
    """Keeps what the exporter does not pass on."""

    def __init__(self, timeout: float) -> None:
        super().__init__()
        self.headers["Accept-Encoding"] = "identity"  # answers are bounded as they come
        self._timeout = timeout
        self.failure: SendError | None = None
        self.answer = b""

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        """Send a request, and note how it went."""
        self.failure, self.answer = None, b""
        try:
            response = super().send(request, **{**options, "stream": True, "allow_redirects": False})
            content = answers.content(response.raw, self._timeout)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            self.failure = of_no_answer(error, self._timeout)
            raise self.failure from error  # of a type that the exporter does not try again
        if not response.ok or response.status_code >= 300:
            self.failure = of_status(response.status_code, retry_after(response.headers.get("Retry-After")))
            raise self.failure
        self.answer = content
        return response


class Otlp:
    """A way to one OTLP endpoint."""

    def __init__(self, address: Address, headers: dict[str, str], timeout: float, taken: Taken, with_metrics: bool) -> None:
        """`taken` remembers what was taken, also by the ways of before."""
        self._session = _Session(timeout)
        options: dict[str, Any] = {"headers": headers, "timeout": timeout, "compression": Compression.Gzip, "session": self._session}
        self._traces = OTLPSpanExporter(f"{address.url}/v1/traces", **options)
        self._metrics = OTLPMetricExporter(f"{address.url}/v1/metrics", **options) if with_metrics else None
        self._taken = taken

    def send(self, records: Sequence[Record]) -> int:
        """Deliver a batch: spans first, then metrics; not what was taken already when it was sent before. Raises SendError."""
        self._send_spans(self._taken.lacking(_SPANS, records))
        if self._metrics is not None:
            self._send_metrics(self._metrics, self._taken.lacking(_METRICS, records))
        return self._taken.tell_declined()

    def _send_spans(self, records: Sequence[Record]) -> None:
        made = spans(records)
        if not made:
            return
        if self._traces.export(made) is not SpanExportResult.SUCCESS:
            raise self._why()
        self._taken.add(_SPANS, records, self._declined(ExportTraceServiceResponse(), "rejected_spans"))

    def _send_metrics(self, exporter: OTLPMetricExporter, records: Sequence[Record]) -> None:
        for data, runs in metrics(records):
            if exporter.export(data) is not MetricExportResult.SUCCESS:
                why = self._why()
                if isinstance(why, Unavailable):
                    raise why
                raise Refusing(f"its metrics: {why.reason}; with metrics = false it gets none") from why
            self._taken.add(_METRICS, runs, self._declined(ExportMetricsServiceResponse(), "rejected_data_points"))

    def _declined(self, message: Any, number: str) -> int:
        """An answer of 200 may say that some were not kept. They must not be sent again, says the protocol."""
        try:
            message.ParseFromString(self._session.answer)
        except DecodeError:
            pass  # some answer with text, or JSON
        return int(getattr(message.partial_success, number))

    def _why(self) -> SendError:
        return self._session.failure or Rejected("it cannot be converted")

    def close(self) -> None:
        """Close the connections."""
        self._traces.shutdown()  # type: ignore[no-untyped-call]  # the exporter's own omission
        if self._metrics is not None:
            self._metrics.shutdown()
