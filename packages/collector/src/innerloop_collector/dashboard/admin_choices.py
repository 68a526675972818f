"""What an admin can choose among on pages: what is there, as the operations that list it answer."""

from collections import Counter
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

from innerloop_collector.dashboard import words

Answer = Mapping[str, Any]
Options = tuple[tuple[str, str], ...]  # of a choice: value and text
_NEW_IDS = "too many new ids"  # the reason that a person's word ends


class Known:
    """What is there, as the operations that list it answer. Each is asked for where it is needed, and once."""

    def __init__(self, ask: Callable[[str], Answer]) -> None:
        self._ask = ask

    @cached_property
    def projects(self) -> tuple[Answer, ...]:
        """Projects."""
        return tuple(self._ask("projects.list")["projects"])

    @cached_property
    def keys(self) -> tuple[Answer, ...]:
        """Write keys."""
        return tuple(self._ask("keys.list")["keys"])

    @cached_property
    def tokens(self) -> tuple[Answer, ...]:
        """Tokens."""
        return tuple(self._ask("tokens.list")["tokens"])

    @cached_property
    def destinations(self) -> tuple[Answer, ...]:
        """Destinations."""
        return tuple(self._ask("destinations.status")["destinations"])

    @cached_property
    def quarantine(self) -> tuple[Answer, ...]:
        """What waits, counted."""
        return tuple(self._ask("quarantine.list")["quarantine"])

    @property
    def of_projects(self) -> Options:
        """Every project."""
        return tuple(
            (one["project"], f"{one['name']} ({one['project']})" if one["name"] != one["project"] else one["project"])
            for one in self.projects
        )

    @property
    def of_keys(self) -> Options:
        """Write keys that open something."""
        return tuple((one["id"], f"{one['id']} of {one['project']}, {_used(one)}") for one in self.keys if one["accepted"])

    @property
    def of_tokens(self) -> Options:
        """Tokens that open something."""
        return tuple((one["id"], f"{one['id']}: {one['role']}, {one['label']}, {_used(one)}") for one in self.tokens if one["accepted"])

    @property
    def of_destinations(self) -> Options:
        """Every destination."""
        return tuple((one["destination"], f"{one['destination']}: {one['state']}") for one in self.destinations)

    @property
    def of_new_ids(self) -> Options:
        """Projects in which new ids wait for a person's word."""
        return tuple(
            (project, f"{project}: {events_of(events)}") for (project, reason), events in self._waiting().items() if reason == _NEW_IDS
        )

    @property
    def of_waiting(self) -> Options:
        """What waits, by project and reason."""
        waiting = self._waiting().items()
        return tuple((f"{project} {reason}", f"{project}, {reason}: {events_of(events)}") for (project, reason), events in waiting)

    def _waiting(self) -> Counter[tuple[str, str]]:
        waiting: Counter[tuple[str, str]] = Counter()
        for one in self.quarantine:
            waiting[one["project"], one["reason"]] += one["events"]
        return waiting


def _used(one: Answer) -> str:
    return f"last used {one['last_used']}" if one["last_used"] else "never used"


def events_of(number: int) -> str:
    """So many events, in words."""
    return f"{words.number(number)} {'event' if number == 1 else 'events'}"
