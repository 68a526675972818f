"""Somebody who reads or operates, as the door knows them. May import: roles."""

from dataclasses import dataclass
from enum import StrEnum

from innerloop_collector.access.roles import Role


class Via(StrEnum):
    """How somebody came in."""

    COMMAND = "command line"  # on the store itself, or with the token in the data directory
    TOKEN = "token"  # noqa: S105 - a word, not a secret
    SESSION = "session"
    PROXY = "proxy"


@dataclass(frozen=True, slots=True)
class Principal:
    """A role, and the projects it is for."""

    role: Role
    via: Via
    label: str = ""
    projects: frozenset[str] | None = None  # None: all

    def sees(self, project: str) -> bool:
        """Tell whether a project is among this one's."""
        return self.projects is None or project in self.projects


OPERATOR = Principal(Role.ADMIN, Via.COMMAND, "operator")
