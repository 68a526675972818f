"""What each channel was told: DIR/notifications.json. Lost, channels begin anew: what is confirmed by then is not told again, and was told or is not."""

import threading
from collections.abc import Collection
from datetime import date, timedelta
from pathlib import Path

import msgspec
import structlog
from msgspec.structs import replace

from innerloop_collector.config.files import read_plain, write_private

_MOST_BYTES = 16_000_000
_REMEMBERED = timedelta(days=183)  # alerts are listed for a quarter
_log = structlog.get_logger()


class ChannelState(msgspec.Struct, frozen=True):
    """One channel, as it is on the disk."""

    digest: date  # the day of the last digest that was sent, or that was due before it began
    settled: dict[str, date]  # confirmed alerts by their ids: told, left out or known before it began; and when
    sent: int = 0
    left_out: int = 0  # that could not be told in time, or that it does not take
    left_out_on: date | None = None  # the last of them
    projects: tuple[str, ...] | None = None  # of which it is told; as the next, None in what earlier versions wrote
    sends: tuple[str, ...] | None = None  # what it is told


class ChannelStates:
    """The states of all channels. Any thread may ask and change."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._guard = threading.Lock()
        self._states: dict[str, ChannelState] | None = None

    def get(self, channel: str) -> ChannelState | None:
        """What a channel was told. None: it never began."""
        with self._guard:
            return self._read().get(channel)

    def know(self, channel: str, state: ChannelState, known: Collection[str], today: date) -> ChannelState:
        """Make durable what a channel is told from now on, and alerts that were there before. Raises OSError."""
        return self._put(channel, replace(state, settled={**state.settled, **dict.fromkeys(known, today)}))

    def settle(self, channel: str, ids: Collection[str], today: date, *, sent: bool) -> ChannelState:
        """Make durable that alerts were told, or left out. Raises OSError."""
        state = self._of(channel)
        kept = {one: day for one, day in state.settled.items() if day > today - _REMEMBERED}
        return self._put(channel, _counted(replace(state, settled={**kept, **dict.fromkeys(ids, today)}), len(ids), today, sent=sent))

    def settle_digest(self, channel: str, day: date, today: date, *, sent: bool) -> ChannelState:
        """Make durable that the digest of a day was sent, or left out. Raises OSError."""
        return self._put(channel, _counted(replace(self._of(channel), digest=day), 1, today, sent=sent))

    def _of(self, channel: str) -> ChannelState:
        state = self.get(channel)
        assert state is not None
        return state

    def _put(self, channel: str, state: ChannelState) -> ChannelState:
        with self._guard:
            states = {**self._read(), channel: state}
            write_private(self._path, msgspec.json.encode(states))
            self._states = states
        return state

    def _read(self) -> dict[str, ChannelState]:
        if self._states is None:
            try:
                self._states = msgspec.json.decode(read_plain(self._path, _MOST_BYTES), type=dict[str, ChannelState])
            except FileNotFoundError:
                self._states = {}
            except (OSError, msgspec.MsgspecError) as error:
                _log.error("what channels were told is not known, so they begin anew", file=self._path.name, error=str(error))
                self._states = {}
        return self._states


def _counted(state: ChannelState, notices: int, today: date, *, sent: bool) -> ChannelState:
    """A state after some notices more."""
    if sent:
        return replace(state, sent=state.sent + notices)
    return replace(state, left_out=state.left_out + notices, left_out_on=today)
