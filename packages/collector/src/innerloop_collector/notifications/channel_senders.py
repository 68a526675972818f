"""Open the way to a channel, by its kind."""

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from innerloop_collector.config.configuration import Channel
from innerloop_collector.notifications.channel_settings import hook, password, signing_secrets
from innerloop_collector.notifications.mail import Mail
from innerloop_collector.notifications.notice import Notice
from innerloop_collector.notifications.slack import Slack
from innerloop_collector.notifications.webhook import Webhook


class Sender(Protocol):
    """A way to a channel."""

    def send(self, notice: Notice) -> str:
        """Deliver a notice. Returns what was wrong all the same, in words; mostly nothing. Raises SendError."""


def open_sender(settings: Channel, now: Callable[[], datetime]) -> Sender:
    """Open a channel with the secret that it has now. Raises Refusing where that cannot be read."""
    if settings.kind == "webhook":
        return Webhook(settings.url, signing_secrets(settings), settings.timeout_seconds, now)
    if settings.kind == "slack":
        return Slack(hook(settings), settings.timeout_seconds)
    return Mail(settings, password(settings))
