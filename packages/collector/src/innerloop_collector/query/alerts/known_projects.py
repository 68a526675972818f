"""What looks are told of projects, and how many false alarms are accepted."""

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import NamedTuple, Protocol

from innerloop_collector.query.population import Settings
from innerloop_collector.query.releases.document import Release


class Expected(NamedTuple):
    """How many false alarms are accepted, of all of a project's targets together, in a month."""

    told: float
    paged: float


class Figures(Protocol):
    """The releases of figures."""

    def read(self, project: str, units: Iterable[str]) -> Mapping[str, Release]:
        """Those of some units that are there, by unit."""


class KnownProjects(NamedTuple):
    """What is known of projects."""

    settings: Callable[[], Mapping[str, Settings]]
    checks: Callable[[str, Collection[str]], Collection[str]]  # of a project, which of some names are checks
    committed: Callable[[], int]  # the position up to which all events are to be seen
