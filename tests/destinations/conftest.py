"""Receivers, and a collector that can be given destinations."""

from collections.abc import Callable, Iterator

import pytest

from tests.collector.conftest import idle, new_collector, small_disk  # noqa: F401 (fixtures)
from tests.collector.support import Collector
from tests.destinations.receivers import Receiver
from tests.destinations.support import Configured


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A receiver that takes everything."""
    made = Receiver()
    yield made
    made.close()


@pytest.fixture
def new_receiver() -> Iterator[Callable[[], Receiver]]:
    """Makes receivers."""
    made: list[Receiver] = []

    def make() -> Receiver:
        made.append(Receiver())
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def configured(idle: Collector) -> Configured:  # noqa: F811 (the fixture)
    """A collector that does not run yet."""
    return Configured(idle)
