"""Counts requests, outermost of all: what is refused or fails is counted as well. May import: metrics."""

import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from innerloop_collector.monitoring.metrics import NO_ROUTE, Metrics

_ABANDONED = 499  # what nginx calls it: the sender left before the answer


class CountRequests:
    """ASGI middleware. A route that is listed as acknowledging also has its time taken."""

    def __init__(self, app: ASGIApp, metrics: Metrics, acknowledging: frozenset[str]) -> None:
        self.app = app
        self._metrics = metrics
        self._acknowledging = acknowledging

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request and note its status."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began = time.perf_counter()
        status = _ABANDONED

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, watched)
        finally:
            route = getattr(scope.get("route"), "path", NO_ROUTE)
            self._metrics.answered(scope["method"], route, status)
            if status == 200 and route in self._acknowledging:
                self._metrics.acknowledged(time.perf_counter() - began)
