"""Tries a configuration out: everything that the service would use at its start, and nothing is opened."""

from innerloop_collector.access.openid_client import Client
from innerloop_collector.access.proxy import Proxy
from innerloop_collector.admin.checks import of_the_journals
from innerloop_collector.admin.exposure import of_the_secrets
from innerloop_collector.composition.sign_in_parts import tls
from innerloop_collector.config.configuration import Configuration, secret_files
from innerloop_collector.db.server import by_url
from innerloop_collector.exporters.address import check, read_key
from innerloop_collector.exporters.failures import Refusing
from innerloop_collector.notifications.channel_settings import usable
from innerloop_collector.notifications.notifications import check_all
from innerloop_collector.web.prometheus import metrics_token


def try_out(configuration: Configuration) -> list[str]:
    """Use every setting that the service uses when it starts. What it starts without is in the answer. Raises UsageError."""
    metrics_token(configuration.server.metrics_token_file)
    Proxy(configuration.access)
    Client.of(configuration.openid)
    tls(configuration.openid)
    if configuration.store.url:
        by_url(configuration.store, {})
    notes = [one.text for one in (*of_the_journals(configuration.backup), *of_the_secrets(secret_files(configuration)))]
    for name, settings in configuration.destinations.items():
        check(name, settings)
        try:
            read_key(settings)
        except Refusing as error:
            notes.append(f"destinations.{name}: {error}; nothing is sent to it until that is fixed")
    for name, channel in check_all(configuration).items():
        try:
            usable(channel)
        except Refusing as error:
            notes.append(f"channels.{name}: {error}; nothing is sent to it until that is fixed")
    return notes
