"""What the service counts while it works, in Prometheus' terms.

No label holds an id, an address, a key or a path beyond its route's template; projects are named only where the operator asks for it.
docs/reference/metrics.md lists everything.
"""

import time
from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_SKEWS = (60, 300, 3_600, 86_400, 604_800)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_RESULTS = ("stored", "quarantined", "repeated", "dropped", "refused")
_TURNED_AWAY = ("idle", "connections", "header size", "header time", "body rate", "unread answer", "not HTTP")
NO_ROUTE = "none"  # the template of what matches no route: a path that somebody made up is nobody's business


class Metrics:
    """The instruments of one service. Safe to use from every thread."""

    def __init__(self, *, per_project: bool = False) -> None:
        self._per_project = per_project
        self.registry = registry = CollectorRegistry()
        extra = ["project"] if per_project else []
        self._events = Counter("innerloop_events", "Events that arrived, by what became of them.", ["result", *extra], registry=registry)
        self._set_aside = Counter(
            "innerloop_events_set_aside",
            "Events that the pipeline set aside or dropped, by reason; a repeated one counts each time.",
            ["reason", *extra],
            registry=registry,
        )
        self._requests = Counter("innerloop_http_requests", "Answered requests.", ["method", "route", "status"], registry=registry)
        self._acknowledgement = Histogram(
            "innerloop_acknowledgement_seconds",
            "From a request's beginning to its acknowledgement, when its events are on the disk.",
            buckets=_SECONDS,
            registry=registry,
        )
        self._skew = Histogram(
            "innerloop_client_clock_skew_seconds",
            "How far the clocks of senders are off, either way, per request that says its time; below a minute counts as none.",
            buckets=_SKEWS,
            registry=registry,
        )
        self._turned_away = Counter(
            "innerloop_connections_turned_away",
            "Connections that were refused or closed by the guard of the sockets, by what was exceeded.",
            ["reason"],
            registry=registry,
        )
        self._last_commit = Gauge(
            "innerloop_last_commit_timestamp_seconds", "When events were last made durable, in Unix time; 0: not yet.", registry=registry
        )

        self._begin_at_zero()

    def _begin_at_zero(self) -> None:
        """Show what alerts look at before it happens: `increase()` does not see the step of a series that begins with it."""
        for reason in _TURNED_AWAY:
            self._turned_away.labels(reason)
        for status in ("429", "503"):
            self._requests.labels("POST", "/v1/batch", status)
        for result in () if self._per_project else _RESULTS:
            self._events.labels(result)

    def kept(self, project: str, *, stored: int = 0, quarantined: int = 0, repeated: int = 0, dropped: int = 0) -> None:
        """Count the events of one request by what became of them; to be called when they are on the disk."""
        results = {"stored": stored, "quarantined": quarantined, "repeated": repeated, "dropped": dropped}
        for result, count in results.items():
            if count:
                self._events.labels(result, *self._extra(project)).inc(count)
        if stored or quarantined:
            self._last_commit.set(time.time())

    def refused(self, project: str, events: int) -> None:
        """Count events that were understood and not taken: their sender keeps them and comes back."""
        self._events.labels("refused", *self._extra(project)).inc(events)

    def set_aside(self, project: str, reasons: Mapping[str, int]) -> None:
        """Count what the pipeline found, by its closed list of reasons."""
        for reason, count in reasons.items():
            self._set_aside.labels(reason, *self._extra(project)).inc(count)

    def answered(self, method: str, route: str, status: int) -> None:
        """Count a request by its route's template."""
        self._requests.labels(method if method in _METHODS else "other", route, str(status)).inc()

    def acknowledged(self, seconds: float) -> None:
        """Note how long an acknowledgement took."""
        self._acknowledgement.observe(seconds)

    def turned_away(self, reason: str) -> None:
        """Count a connection that went beyond a limit, by a closed list of reasons."""
        self._turned_away.labels(reason).inc()

    def skew(self, seconds: float) -> None:
        """Note how far a sender's clock is off."""
        self._skew.observe(abs(seconds))

    def _extra(self, project: str) -> list[str]:
        return [project] if self._per_project else []


def without_creation_times() -> None:
    """Have this process show no series of when each other one began: when the first event of a kind came is nobody's business, and twice the series."""
    disable_created_metrics()  # type: ignore[no-untyped-call]
