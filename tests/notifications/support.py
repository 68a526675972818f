"""Confirmed alerts to tell of, and receivers of mail."""

import base64
import hashlib
import hmac
import json
import ssl
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple, Self

import msgspec
import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope
from msgspec.structs import replace

from innerloop_collector.config.configuration import Channel, Notifications
from innerloop_collector.notifications.channel_state import ChannelStates
from innerloop_collector.notifications.channel_worker import ChannelWorker
from innerloop_collector.notifications.notices import Notices
from innerloop_collector.notifications.weekly_digest import Sources
from innerloop_collector.query.alerts.alert_archive import AlertArchive
from innerloop_collector.query.alerts.alert_documents import Appeared, Day, Fate, Size, Subject, Told, unit_of
from innerloop_collector.query.alerts.known_projects import Expected
from innerloop_collector.query.alerts.shown_alerts import Alerts
from tests.destinations.receivers import Request

SECRET = base64.b64encode(bytes(range(32))).decode()
NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)  # a Tuesday
EVIL = "b`<!channel>|*_~@here\r\nBcc: all@example.org\r\n\r\n\x1b[2J\u202e&lt;"


def documents(name: str, decided: date, *fates: Fate, project: str = "acme") -> list[Day]:
    """What was published of an alert: that it was seen, and a week later what became of it."""
    seen = decided - timedelta(days=7)
    at = [seen, decided]
    return [
        Day(1, project, unit_of(day), day, day + timedelta(days=3), 1, 5, told=(_told(name, seen, fate),))
        for day, fate in zip(at, fates, strict=False)
    ]


def _told(name: str, seen: date, fate: Fate) -> Told:
    appeared = (Appeared("version", "0.2", seen - timedelta(days=seen.weekday())),)
    return Told(Subject("command", name, "duration"), seen, seen - timedelta(days=6), fate, Size(20, 10, 35), 35, appeared)


class Unit(NamedTuple):
    """A document by its unit."""

    unit: str
    document: str


class Shelf:
    """What was published of days, in memory."""

    def __init__(self) -> None:
        self._days: dict[tuple[str, str], Day] = {}
        self.damaged: set[str] = set()  # projects of which nothing can be read

    def put(self, day: Day) -> None:
        """Publish what was told on a day, also more of one."""
        there = self._days.get((day.project, day.unit))
        self._days[day.project, day.unit] = day if there is None else replace(day, told=(*there.told, *day.told))

    def units(self, project: str, kind: str) -> frozenset[str]:
        return frozenset(unit for of, unit in self._days if of == project and unit.startswith(f"{kind}/"))

    def read(self, project: str, units: Iterable[str]) -> Sequence[Unit]:
        return [Unit(unit, msgspec.json.encode(self._days[project, unit]).decode()[project in self.damaged :]) for unit in units]

    def last(self, _: str) -> date | None:
        return None


class Projects:
    """Names of projects, of which there are no figures."""

    def __init__(self, *names: str) -> None:
        self.names = names

    def projects(self) -> tuple[tuple[str, str], ...]:
        return tuple((name, name.title()) for name in self.names)


class Published:
    """What was published, and the notices that are made of it."""

    def __init__(self, *projects: str) -> None:
        self.shelf = Shelf()
        self.projects = Projects(*(projects or ("acme",)))
        self.now = NOW
        self.doubted: datetime | None = None  # by which a clock that is in doubt is judged
        self.recipients: dict[str, frozenset[str]] = {}
        self.alerts = Alerts(AlertArchive(self.shelf, self.shelf), lambda: self.now, Expected(3.0, 0.45), list)
        sources = Sources(self.projects, self.alerts, None, list, lambda one: self.recipients.get(one, frozenset()))
        self.notices = Notices(sources, Notifications(dashboard="https://il.example.org/"), throw_away=False)

    def add(self, *days: Day) -> None:
        """Publish."""
        for one in days:
            self.shelf.put(one)

    def confirm(self, name: str, ago: int = 3, project: str = "acme") -> None:
        """Publish that an alert was seen, and that it was confirmed some days ago."""
        self.add(*documents(name, self.now.date() - timedelta(days=ago), Fate.OPEN, Fate.CONFIRMED, project=project))

    @contextmanager
    def worker(self, file: Path, settings: Channel) -> Iterator[ChannelWorker]:
        """A channel's worker, while it works."""
        made = ChannelWorker("one", settings, self.notices, ChannelStates(file), lambda: self.now, lambda: self.doubted or self.now)
        made.start()
        yield made
        made.ask_to_stop()
        made.close(5.0)


def verified(request: Request, secret: str = SECRET) -> dict[str, Any]:
    """What a receiver believes of a request, as the specification says it must check."""
    headers = request.headers
    signed = b".".join((headers["webhook-id"].encode(), headers["webhook-timestamp"].encode(), request.body))
    expected = base64.b64encode(hmac.digest(base64.b64decode(secret), signed, hashlib.sha256)).decode()
    assert f"v1,{expected}" in headers["webhook-signature"].split(" ")
    found: dict[str, Any] = json.loads(request.body)
    return found


class Post(Controller):
    """A mail server on the loopback interface: by STARTTLS, with a user and a password; or by TLS from the first byte, for everybody."""

    def __init__(self, authority: trustme.CA, *, code: Callable[[str], str] = lambda _: "250 OK", tls: bool = False) -> None:
        """`code` answers to each recipient."""
        self.envelopes: list[Envelope] = []
        self._code = code
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        authority.issue_cert("localhost").configure_cert(context)
        signed_in = {"tls_context": context, "require_starttls": True, "auth_required": True, "authenticator": self._signed_in}
        super().__init__(self, hostname="127.0.0.1", port=0, **({"ssl_context": context} if tls else signed_in))

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _trigger_server(self) -> None:
        """The base class connects to the port that it was told, which is not known before it listens."""
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()

    def _signed_in(self, *words: Any) -> AuthResult:
        given = words[-1]
        return AuthResult(success=(given.login, given.password) == (b"innerloop", b"open sesame"))

    async def handle_RCPT(  # noqa: N802 (aiosmtpd's name)
        self, _: Any, __: Any, envelope: Envelope, address: str, ___: Any
    ) -> str:
        answer = self._code(address)
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(  # noqa: N802 (as above)
        self, _: Any, __: Any, envelope: Envelope
    ) -> str:
        self.envelopes.append(envelope)
        return "250 OK"


def encoded(days: Iterable[Day]) -> list[str]:
    """Documents as a journal has them."""
    return [msgspec.json.encode(one).decode() for one in days]
