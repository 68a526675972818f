# ruff: noqa: PLC0415 - a destination's SDK is imported where such a destination is configured, and nowhere else: they cost half a second
"""Open the way to a destination, by its kind."""

from collections.abc import Callable
from datetime import datetime

from innerloop_collector.config.configuration import Destination
from innerloop_collector.exporters.address import Address, read_key
from innerloop_collector.exporters.record import Sender, Taken


def open_sender(settings: Destination, address: Address, taken: Taken, now: Callable[[], datetime]) -> Sender:
    """Open a destination with the key that it has now. Raises Refusing where the key cannot be read.

    `taken` is what it took by the ways that were open before.
    """
    key = read_key(settings)
    if settings.kind == "newrelic":
        from innerloop_collector.exporters.newrelic import NewRelic

        return NewRelic(address, key, settings.timeout_seconds, now)
    if settings.kind == "segment":
        from innerloop_collector.exporters.segment import Segment

        return Segment(address, key, settings.timeout_seconds)
    from innerloop_collector.exporters.otlp import Otlp

    headers = {settings.key_header.lower(): key} if key else {}
    return Otlp(address, headers, settings.timeout_seconds, taken, settings.metrics)
