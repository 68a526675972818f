"""Receivers of notices."""

from tests.collector.conftest import idle, new_collector  # noqa: F401 (fixtures)
from tests.destinations.conftest import new_receiver, receiver  # noqa: F401 (fixtures)
