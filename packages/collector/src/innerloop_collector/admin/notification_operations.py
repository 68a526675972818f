"""Operations on what people are told by themselves."""

from collections.abc import Callable, Iterable

from innerloop_collector.access.principal import Role
from innerloop_collector.admin.operation import Answer, Area, operation, refuse_unseen
from innerloop_collector.notifications.notifications import Notifications
from innerloop_collector.notifications.webhook import content


class NotificationArea(Area):
    """Channels, and the digest."""

    def __init__(self, notifications: Notifications, projects: Callable[[], Iterable[str]]) -> None:
        self._notifications = notifications
        self._projects = projects

    @operation("notifications.status", Role.ADMIN)
    def status(self) -> Answer:
        """How each channel is doing."""
        return {"channels": self._notifications.status()}

    @operation("notifications.test", Role.ADMIN)
    def test(self, channel: str) -> Answer:
        """Send a channel a test, now."""
        notice = self._notifications.test(channel)
        return {"channel": channel, "id": notice.id, "title": notice.title}

    @operation("digest", Role.VIEWER)
    def digest(self, project: str | None = None, visible: frozenset[str] | None = None) -> Answer:
        """What the digest of the last week says of one project, or of all that somebody may see."""
        seen = sorted(one for one in self._projects() if visible is None or one in visible)
        if project is not None:
            refuse_unseen(project, seen, visible)
        told = content(self._notifications.digest(tuple(seen) if project is None else (project,), visible))
        data: Answer = told["data"]
        return data
