"""What happens once: a form that is sent twice does what it says once, and a secret is shown once."""

import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

_MOST = 1_000  # of each kind; the oldest makes room
_FORM_SECONDS = 3_600.0  # for which a form can be sent
_TOLD_SECONDS = 600.0  # for which what became of it is kept until it is looked at


@dataclass(frozen=True, slots=True)
class Told:
    """What became of a form."""

    title: str
    sentences: tuple[str, ...] = ()
    secret: str = ""  # which is kept nowhere else


class Sent(Enum):
    """How it stands with a form that is sent."""

    NEW = "it was not sent before, and is now"
    BEFORE = "it was sent before"
    OLD = "nobody knows it: it was made long ago, or before the service was started"


class Once:
    """Remembers forms until they are sent, and what became of them until that is looked at. In memory, and nowhere else."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._guard = threading.Lock()
        self._forms: dict[str, tuple[float, bool]] = {}  # when it was made, and whether it was sent
        self._told: dict[str, tuple[float, Told]] = {}

    def form(self) -> str:
        """A new form: what it is called."""
        name = secrets.token_urlsafe(16)
        with self._guard:
            _make_room(self._forms)
            self._forms[name] = self._monotonic(), False
        return name

    def send(self, name: str) -> Sent:
        """Take a form as sent, and tell whether that is the first time."""
        with self._guard:
            made, sent = self._forms.get(name, (0.0, False))
            if name not in self._forms or self._monotonic() - made > _FORM_SECONDS:
                return Sent.OLD
            self._forms[name] = made, True
            return Sent.BEFORE if sent else Sent.NEW

    def again(self, name: str) -> None:
        """Let a form be sent again: nothing came of it."""
        with self._guard:
            if name in self._forms:
                self._forms[name] = self._forms[name][0], False

    def keep(self, told: Told) -> str:
        """Keep what became of a form. Returns by which name it can be asked for, once."""
        name = secrets.token_urlsafe(32)
        with self._guard:
            _make_room(self._told)
            self._told[name] = self._monotonic(), told
        return name

    def take(self, name: str) -> Told | None:
        """What became of a form, for who asks first and in time."""
        with self._guard:
            kept, told = self._told.pop(name, (0.0, None))
        return told if told and self._monotonic() - kept <= _TOLD_SECONDS else None


def _make_room(of: dict[str, tuple[float, bool]] | dict[str, tuple[float, Told]]) -> None:
    while len(of) >= _MOST:
        del of[next(iter(of))]
