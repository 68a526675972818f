"""All channels together: what the service starts and stops, and what an operator asks of them."""

import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from innerloop_collector.background import stop_together
from innerloop_collector.config.configuration import Channel, Configuration
from innerloop_collector.errors import CollectorError, UsageError
from innerloop_collector.exporters.failures import SendError
from innerloop_collector.notifications.channel_senders import open_sender
from innerloop_collector.notifications.channel_settings import check, check_dashboard
from innerloop_collector.notifications.channel_state import ChannelStates
from innerloop_collector.notifications.channel_worker import ChannelWorker
from innerloop_collector.notifications.notice import Notice
from innerloop_collector.notifications.notices import Notices
from innerloop_collector.notifications.weekly_digest import Days, Sources

_PATIENCE = 5.0  # seconds that all channels together have to end
_WEEK = timedelta(weeks=1)
Answer = dict[str, Any]


def check_all(configuration: Configuration) -> Mapping[str, Channel]:
    """Check what is configured of channels. Raises UsageError."""
    check_dashboard(configuration.notifications)
    for name, settings in configuration.channels.items():
        check(name, settings)
    return configuration.channels


class Notifications:
    """The channels of an open collector. Of a store that a simulation fills nothing is ever sent."""

    def __init__(
        self,
        configuration: Configuration,
        file: Path,
        sources: Sources,
        now: Callable[[], datetime],
        judging: Callable[[], datetime],
        *,
        simulated: bool,
        throw_away: bool,
    ) -> None:
        """`judging` says by which instant something is too old or due, where the clock may be wrong."""
        self._now = now
        self._simulated = simulated
        self._notices = Notices(sources, configuration.notifications, throw_away=throw_away)
        states = ChannelStates(file)
        channels = check_all(configuration)
        self._workers = {name: ChannelWorker(name, settings, self._notices, states, now, judging) for name, settings in channels.items()}

    def start(self) -> None:
        """Begin to tell."""
        if not self._simulated:
            for worker in self._workers.values():
                worker.start()

    def wake(self) -> None:
        """Look at once: something was published."""
        for worker in self._workers.values():
            worker.wake()

    def stop(self) -> None:
        """End soon. Whoever waits for a channel is left alone, and what it was sent is sent again after the next start."""
        stop_together(self._workers.values(), _PATIENCE)

    def status(self) -> list[Answer]:
        """How each channel is doing."""
        return [self._status(worker) for worker in self._workers.values()]

    def _status(self, worker: ChannelWorker) -> Answer:
        state, progress = worker.state, worker.progress
        last = progress.last_sent
        return {
            "channel": worker.name,
            "kind": worker.settings.kind,
            "sends": list(worker.settings.sends),
            "projects": list(worker.settings.projects),
            "state": self._condition(worker),
            "waiting": progress.waiting,
            "sent": state.sent if state else 0,
            "left_out": state.left_out if state else 0,
            "last_left_out": state.left_out_on.isoformat() if state and state.left_out_on else None,
            "failures": worker.backoff.failures,
            "last_error": progress.last_error,
            "complaint": progress.complaint,
            "misses": [
                *self._notices.mismatches(worker.settings),
                *(f"is told nothing of {project}: {why}" for project, why in progress.unreadable.items()),
            ],
            "last_sent": last.isoformat(timespec="seconds") if last else None,
            "next_try_seconds": round(max(progress.next_try - time.monotonic(), 0.0), 1),
        }

    def _condition(self, worker: ChannelWorker) -> str:
        if self._simulated:
            return "simulated"
        if not worker.progress.running:
            return "not running"
        return "failing" if worker.progress.last_error else "well"

    def test(self, channel: str) -> Notice:
        """Send a channel a notice that says that it is a test, now. Raises CollectorError where the channel does not take it."""
        worker = self._workers.get(channel)
        if worker is None:
            raise UsageError(f"no channel {channel!r} is configured; there are: {', '.join(self._workers) or 'none'}")
        if self._simulated:
            raise UsageError("this store is filled by a simulation, and nothing of it is ever sent")
        notice = self._notices.test(channel, self._now())
        try:
            complaint = open_sender(worker.settings, self._now).send(notice)
        except SendError as error:
            raise CollectorError(f"the channel {channel} did not take the test: {error.reason}") from error
        if complaint:
            raise CollectorError(f"the channel {channel} took the test, but {complaint}")
        return notice

    def digest(self, projects: tuple[str, ...], visible: frozenset[str] | None) -> Notice:
        """What the digest of the last week that ended says of some projects, to somebody who may see some (None: all)."""
        now = self._now()
        day = self._notices.due(now)
        return self._notices.of_week(projects, Days(day - _WEEK, day), visible, now)
