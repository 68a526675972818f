"""The operation on a simulated clock. Only a collector that has one knows it."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated

import msgspec

from innerloop_collector.access.principal import Role
from innerloop_collector.admin.operation import Answer, Area, operation

Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class Simulation(Area):
    """Has simulated time pass."""

    def __init__(self, move: Callable[[datetime], None], do_what_is_due: Callable[[], object]) -> None:
        self._move = move
        self._do_what_is_due = do_what_is_due

    @operation("simulation.move", Role.ADMIN, changes=True)
    def move(self, to: Moment) -> Answer:
        """Move the simulated clock forward. On return everything is done that a service does by itself until then."""
        self._move(to)
        self._do_what_is_due()
        return {"now": to.isoformat()}
