"""Where a channel leads, and the secret that it takes.

What is wrong with a configuration stops the collector at its start, in one line; a secret that cannot be read does not: it may come back.
"""

import base64
import binascii
import os
import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from innerloop_collector.config.configuration import Channel, Notifications
from innerloop_collector.errors import UsageError
from innerloop_collector.exporters.address import is_loopback, read_secret
from innerloop_collector.exporters.failures import Refusing

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9_-]{0,38}[a-z0-9])?")
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_MAIL = re.compile(rf"(?=[^@]{{1,64}}@.{{1,253}}\Z)(?!.*=\?){_ATOM}(?:\.{_ATOM})*@{_LABEL}(?:\.{_LABEL})*")  # `=?` begins an encoded word
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.:-]{0,251}[A-Za-z0-9])?")
_KEY_BYTES = range(24, 65)  # of a signing secret, by the specification


def check(name: str, settings: Channel) -> None:
    """Check a channel's section. Raises UsageError."""
    where = f"channels.{name}"
    if not _NAME.fullmatch(name):
        raise UsageError(f"{where}: a channel's name is 1 to 40 of a-z, 0-9, - and _")
    if settings.kind == "email":
        _check_mail(where, settings)
        return
    if not (settings.key_file or settings.key_variable):
        what = "its signing secret" if settings.kind == "webhook" else "the address that Slack gave"
        raise UsageError(f"{where} needs key_file with {what}, or key_variable with the name of an environment variable")
    if settings.kind == "slack":
        if settings.url:
            raise UsageError(f"{where}.url: who knows the address of an incoming webhook may post; put it into key_file")
    elif why := wrong_address(settings.url, plain_http=settings.plain_http):
        raise UsageError(f"{where}.url {why}")


def check_dashboard(settings: Notifications) -> None:
    """Check where the pages are. Raises UsageError."""
    why = wrong_address(settings.dashboard, plain_http=True) if settings.dashboard else ""
    if why or "?" in settings.dashboard:
        raise UsageError(f"notifications.dashboard {why or 'must be an address without ?'}")


def wrong_address(url: str, *, plain_http: bool) -> str:
    """Why nothing is posted to an address, without quoting it. Empty: it may be."""
    wrong = "must be like https://host/path, with no user, password or #"
    try:
        parts = urlsplit(url)
        leads_somewhere = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return wrong
    plain = url.isascii() and url.isprintable() and " " not in url
    if not leads_somewhere or not plain or parts.username or parts.password or parts.fragment:
        return wrong
    if parts.scheme == "http" and not plain_http and not is_loopback(parts.hostname or ""):
        return "has no TLS; use https, or say plain_http = true"
    return ""


def _check_mail(where: str, settings: Channel) -> None:
    if not _HOST.fullmatch(settings.host):
        raise UsageError(f"{where}.host is missing, or no name or address of a mail server")
    for key, addresses in (("sender", (settings.sender,)), ("to", settings.to)):
        if not addresses or not all(_MAIL.fullmatch(one) for one in addresses):
            raise UsageError(f"{where}.{key} must be an address of mail such as team@example.org; in `to` a list of them")
    if bool(settings.user) != bool(settings.key_file or settings.key_variable):
        raise UsageError(f"{where}: user and its password go together; the password stands in key_file, or in the variable of key_variable")
    if not settings.user.isprintable() or not settings.user.isascii():
        raise UsageError(f"{where}.user holds characters that no server takes")
    if settings.user and settings.tls == "none" and not is_loopback(settings.host):
        raise UsageError(f'{where}.tls: without TLS anybody on the way reads the password; use "starttls" or "tls"')


def password(settings: Channel, environ: Mapping[str, str] = os.environ) -> str:
    """Read the password of a mail server's user. Empty: there is none. Raises Refusing."""
    found = read_secret(settings.key_file, settings.key_variable, environ)
    if not found.isprintable() or not found.isascii():
        raise Refusing("the password holds characters that no server takes")
    return found


def hook(settings: Channel, environ: Mapping[str, str] = os.environ) -> str:
    """Read the address of a Slack-compatible incoming webhook. Raises Refusing, which does not quote it."""
    url = read_secret(settings.key_file, settings.key_variable, environ)
    if why := wrong_address(url, plain_http=settings.plain_http):
        raise Refusing(f"the address in its key {why}")
    return url


def signing_secrets(settings: Channel, environ: Mapping[str, str] = os.environ) -> list[bytes]:
    """Read a webhook's signing secrets: one, or while it is changed the old one as well. Raises Refusing."""
    found = [_signing_secret(word) for word in read_secret(settings.key_file, settings.key_variable, environ).split()]
    if not 1 <= len(found) <= 2:
        raise Refusing("its key must be one signing secret, or two while it is changed")
    return found


def _signing_secret(word: str) -> bytes:
    try:
        secret = base64.b64decode(word.removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        secret = b""
    if len(secret) not in _KEY_BYTES:
        raise Refusing("its key is no signing secret: whsec_ and the base64 of 24 to 64 random bytes")
    return secret


def usable(settings: Channel, environ: Mapping[str, str] = os.environ) -> None:
    """Try a channel's secret out. Raises Refusing."""
    {"webhook": signing_secrets, "slack": hook, "email": password}[settings.kind](settings, environ)
