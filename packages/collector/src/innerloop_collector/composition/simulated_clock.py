"""The clock of a throw-away store that a simulation fills: it stands where it was put, and moves forward when it is told to.

Where it stands lies in the mark of the throw-away store, which is made with the store and never afterwards. So a store that is kept has no such
clock, whatever is configured, and one that was made with it has no other: whatever opens it later sees the same time.
"""

from datetime import UTC, datetime
from pathlib import Path

from innerloop_collector.config.configuration import Store
from innerloop_collector.config.files import write_private
from innerloop_collector.config.paths import Paths
from innerloop_collector.errors import UsageError


class SimulatedClock:
    """Tells the time of a simulation. Any thread may ask."""

    def __init__(self, mark: Path, moment: datetime) -> None:
        self._mark = mark
        self._moment = moment

    def __call__(self) -> datetime:
        """Say where it stands."""
        return self._moment

    def write(self) -> None:
        """Have whatever opens the store later see this time."""
        write_private(self._mark, self._moment.isoformat().encode() + b"\n")

    def move(self, to: datetime) -> None:
        """Move it forward. Raises UsageError for an earlier time."""
        if to < self._moment:
            raise UsageError(f"the simulated clock stands at {self._moment.isoformat()} and only moves forward")
        self._moment = to.astimezone(UTC)
        self.write()


def of(paths: Paths, wanted: Store, *, new: bool) -> SimulatedClock | None:
    """The simulated clock of a store that has one, or is to be made with one. Nothing is written. Raises UsageError for a store that cannot have one."""
    mark = paths.throw_away
    stands = None if new or not mark.exists() else mark.read_text().strip()
    if not wanted.simulated_clock:
        return SimulatedClock(mark, datetime.fromisoformat(stands)) if stands else None
    if stands is None and (not new or not wanted.throw_away):
        raise UsageError(
            f"the store of {paths.data} is kept, and so it goes by this machine's clock, and store.simulated_clock cannot be set; "
            "use another --data DIR, with store.throw_away, for a simulation"
        )
    if stands == "":
        raise UsageError(
            f"the store of {paths.data} was made with this machine's clock, and so store.simulated_clock cannot be set; use another --data DIR"
        )
    return SimulatedClock(mark, datetime.fromisoformat(stands or wanted.simulated_clock).astimezone(UTC))
