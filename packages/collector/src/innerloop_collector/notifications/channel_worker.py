"""One channel's thread: finds what the channel is to be told, sends it, and notes it when the channel has taken it.

What was published is the queue, so nothing waits in memory. The order makes it at least once: a process that is killed after the channel took a notice and
before that was noted sends it again, with the same id. No figure waits for a channel.
"""

import contextlib
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime

import structlog
from msgspec.structs import replace

from innerloop_collector.background import BackgroundWorker, describe
from innerloop_collector.config.configuration import Channel
from innerloop_collector.exporters.delivery import Backoff
from innerloop_collector.exporters.failures import Rejected, SendError
from innerloop_collector.notifications.channel_senders import Sender, open_sender
from innerloop_collector.notifications.channel_state import ChannelState, ChannelStates
from innerloop_collector.notifications.notice import Notice
from innerloop_collector.notifications.notices import OLDEST, Confirmed, Notices, Owed

_LOOK_EVERY = 300.0  # seconds; who publishes wakes the worker
_PATIENCE = 8  # attempts after which a notice is left out that the channel does not take, where it took another
_log = structlog.get_logger()


class _Closed(Exception):
    """Nothing must be read or noted any more."""


@dataclass(slots=True)
class Progress:
    """What is known while the process lives. Written by the worker, read by anybody."""

    running: bool = False
    waiting: int = 0  # notices
    last_error: str | None = None
    complaint: str | None = None  # what was wrong with the last notice although it was taken
    last_sent: datetime | None = None
    next_try: float = 0.0  # on the monotonic clock; 0: not waiting
    unreadable: dict[str, str] = field(default_factory=dict)  # projects of which nothing can be told, and why


class ChannelWorker:
    """Tells one channel."""

    def __init__(
        self,
        name: str,
        settings: Channel,
        notices: Notices,
        states: ChannelStates,
        now: Callable[[], datetime],
        judging: Callable[[], datetime],
    ) -> None:
        """`judging` says by which instant something is too old or due, where the clock may be wrong."""
        self.name = name
        self.settings = settings
        self.progress = Progress()
        self.backoff = Backoff(settings.first_pause_seconds, settings.longest_pause_seconds)
        self._notices = notices
        self._states = states
        self._now = now
        self._judging = judging
        self._rejections: Counter[str] = Counter()  # by notice
        self._taken: set[str] = set()  # notices that the channel took, and that could not be noted yet: they are not sent again
        self._guard = threading.Lock()
        self._closed = False
        self._worker = BackgroundWorker(f"channel {name}", self._turn)

    @property
    def state(self) -> ChannelState | None:
        """What it was told, as it is on the disk. None: it never began."""
        return self._states.get(self.name)

    def start(self) -> None:
        """Begin to work."""
        self.progress.running = True
        self._worker.start()

    def wake(self) -> None:
        """Look at once: something was published."""
        self._worker.wake()

    def ask_to_stop(self) -> None:
        """Begin nothing new."""
        self._worker.request_stop()

    def close(self, patience: float) -> None:
        """Wait for some seconds. A thread that still waits for its channel then is left alone, and notes nothing any more."""
        self._worker.join(max(patience, 0.0))
        with self._guard:
            self._closed = True
        self.progress.running = False

    def _turn(self) -> float:
        self.progress.next_try = 0.0
        try:
            self._tell()
        except _Closed:
            self._worker.request_stop()
            return 0.0
        except Exception as error:  # noqa: BLE001 - whatever it is, the channel is tried again later and later
            return self._failed(error)
        self._works()
        return _LOOK_EVERY

    @contextlib.contextmanager
    def _open(self) -> Iterator[None]:
        """Hold the store open, and the file."""
        with self._guard:
            if self._closed:
                raise _Closed
            yield

    def _tell(self) -> None:
        """Send everything that is to be told, alerts first. What the channel does not take holds up nothing else."""
        now = self._judging()
        with self._open():
            confirmed = self._notices.confirmed(self.name, self.settings)
            self._say_what_is_unreadable(confirmed.unreadable)
            state = self._know(confirmed, now)
            alerts = self._owed(confirmed, state, now.date())
            day = self._notices.due(now)
            ahead = state.digest > now.date()  # sent by a clock that was wrong
            digest = "digest" in self.settings.sends and (day > state.digest or ahead)
        self.progress.waiting = len(alerts) + digest
        rejected = [why for one in alerts if (why := self._tell_alert(one, now.date())) is not None]
        if digest and (why := self._tell_digest(day, state.digest, now.date())) is not None:
            rejected.append(why)
        if rejected:
            raise rejected[-1]

    def _know(self, confirmed: Confirmed, now: datetime) -> ChannelState:
        """What the channel was told. Of a project, or of a kind, that is new to it, all that is there counts as known: it is told of what comes."""
        due = self._notices.due(now)
        state = self.state or ChannelState(due, {}, projects=(), sends=())
        sends = self.settings.sends
        kinds = sends if state.sends is None else state.sends
        known = confirmed.projects if state.projects is None else state.projects
        if "alerts" in sends and "alerts" not in kinds:
            known = ()
        projects = tuple(one for one in confirmed.projects if one in known or one not in confirmed.unreadable)
        digest = due if "digest" in sends and "digest" not in kinds else state.digest
        new = replace(state, digest=digest, projects=projects, sends=sends)
        if new == self.state:
            return state
        return self._states.know(self.name, new, [one.id for one in confirmed.alerts if one.alert.project not in known], now.date())

    def _say_what_is_unreadable(self, unreadable: dict[str, str]) -> None:
        for project, why in unreadable.items():
            if why != self.progress.unreadable.get(project):
                _log.error("a channel is told nothing of a project", channel=self.name, project=project, error=why)
        self.progress.unreadable = unreadable

    def _owed(self, confirmed: Confirmed, state: ChannelState, today: date) -> list[Owed]:
        """The alerts that were not told. Those that are too old, or too many, are left out."""
        owed = [one for one in confirmed.alerts if one.id not in state.settled]
        fresh = [one for one in owed if one.decided >= today - OLDEST][-self.settings.most_waiting :]
        kept = {one.id for one in fresh}
        if left_out := [one.id for one in owed if one.id not in kept]:
            self._states.settle(self.name, left_out, today, sent=False)
            _log.warning("notices left out", channel=self.name, notices=len(left_out), why="too many wait for it, or for too long")
        return fresh

    def _tell_alert(self, owed: Owed, today: date) -> Rejected | None:
        return self._deliver(
            lambda: self._notices.of_alert(owed, self._now()),
            owed.id,
            lambda sent: self._states.settle(self.name, [owed.id], today, sent=sent),
        )

    def _tell_digest(self, day: date, last: date, today: date) -> Rejected | None:
        return self._deliver(
            lambda: self._notices.digest(self.name, self.settings, day, last, self._now()),
            day.isoformat(),
            lambda sent: self._states.settle_digest(self.name, day, today, sent=sent),
        )

    def _deliver(self, make: Callable[[], Notice], known_as: str, settle: Callable[[bool], object]) -> Rejected | None:
        """Send one notice, and note that. Returns why it was not taken, if that is the notice's fault. Raises SendError for the channel's."""
        if self._worker.stopping:
            raise _Closed
        if known_as not in self._taken:
            with self._open():
                notice = make()
            try:
                complaint = self._sender().send(notice)
            except Rejected as why:
                return self._not_taken(known_as, settle, why)
            self._taken.add(known_as)
            self._sent(notice, complaint)
        self._settle(known_as, settle, sent=True)
        return None

    def _not_taken(self, known_as: str, settle: Callable[[bool], object], why: Rejected) -> Rejected | None:
        """Leave a notice out after some attempts, unless the channel takes none: then it is the channel's fault."""
        self._rejections[known_as] += 1
        if self._rejections[known_as] < _PATIENCE or self.progress.last_sent is None:
            return why
        self._settle(known_as, settle, sent=False)
        _log.warning("notice left out", channel=self.name, why=why.reason)
        return None

    def _sender(self) -> Sender:
        """Opened for each notice: the next one takes a secret that was changed meanwhile."""
        return open_sender(self.settings, self._now)

    def _settle(self, known_as: str, settle: Callable[[bool], object], *, sent: bool) -> None:
        with self._open():
            settle(sent)
        del self._rejections[known_as]
        self._taken.discard(known_as)
        self.progress.waiting -= 1

    def _sent(self, notice: Notice, complaint: str) -> None:
        self.progress.last_sent = self._now()
        self.progress.complaint = complaint or None
        if complaint:
            _log.warning("notice sent, but not to all", channel=self.name, error=complaint)
        _log.info("notice sent", channel=self.name, notice=notice.kind)

    def _works(self) -> None:
        if self.progress.last_error:
            _log.info("channel works again", channel=self.name)
        self.progress.last_error = None
        self.backoff.reset()

    def _failed(self, error: Exception) -> float:
        """Note a failure. Returns for how long to wait."""
        reason = error.reason if isinstance(error, SendError) else f"the notice could not be made or noted: {describe(error)}"
        if not isinstance(error, SendError):
            _log.debug("channel failed", channel=self.name, exc_info=error)
        pause = self.backoff.next(error.wait if isinstance(error, SendError) else 0.0)
        count = self.backoff.failures
        if reason != self.progress.last_error or count & (count - 1) == 0:
            _log.warning("channel failed", channel=self.name, error=reason, failures=count, next_try_seconds=round(pause, 1))
        self.progress.last_error = reason
        self.progress.next_try = time.monotonic() + pause
        return pause
