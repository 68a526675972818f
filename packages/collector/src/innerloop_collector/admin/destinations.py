"""Operations on destinations. May import: core, access."""

from innerloop_collector.access.roles import Role
from innerloop_collector.admin.operation import Answer, Area, operation


class Destinations(Area):
    """Where events are passed on to."""

    @operation("destinations.status", Role.ANALYST)
    def status(self) -> Answer:
        """How each destination is doing."""
        return {"destinations": self.core.exporters.status()}

    @operation("destinations.set_aside", Role.ANALYST)
    def set_aside(self, destination: str) -> Answer:
        """What a destination does not take: where in the store, and why. Never a value."""
        return {"destination": destination, "set_aside": self.core.exporters.set_aside(destination)}

    @operation("destinations.pause", Role.ADMIN)
    def pause(self, destination: str) -> Answer:
        """Send nothing more to a destination."""
        return self.core.exporters.pause(destination)

    @operation("destinations.resume", Role.ADMIN)
    def resume(self, destination: str) -> Answer:
        """Go on with a destination, at once."""
        return self.core.exporters.resume(destination)

    @operation("destinations.retry", Role.ADMIN)
    def retry(self, destination: str) -> Answer:
        """Try everything once more that a destination did not take."""
        return self.core.exporters.retry(destination)
