"""Up to which day each project was looked at for alerts: DIR/looked-at.json. Lost, the newest day is looked at once more, and no earlier one."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path

import msgspec
import structlog

from innerloop_collector.config.files import read_plain, write_private

_MOST_BYTES = 4_000_000
_log = structlog.get_logger()


class LookedAt:
    """The last day of each project that was looked at."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._days: dict[str, date] | None = None

    def last(self, project: str) -> date | None:
        """The last day of a project. None: none is known."""
        return self._read().get(project)

    def note(self, days: Mapping[str, date]) -> None:
        """Up to these days projects were looked at, and are never again; where it raises OSError, not before the next start."""
        self._days = {**self._read(), **days}
        write_private(self._path, msgspec.json.encode(self._days))

    def _read(self) -> dict[str, date]:
        if self._days is None:
            try:
                self._days = msgspec.json.decode(read_plain(self._path, _MOST_BYTES), type=dict[str, date])
            except FileNotFoundError:
                self._days = {}
            except (OSError, msgspec.MsgspecError) as error:
                _log.error("what was looked at for alerts is not known", file=str(self._path), error=str(error))
                self._days = {}
        return self._days
