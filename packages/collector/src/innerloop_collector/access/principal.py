"""Somebody who reads or operates, as authentication knows them."""

from dataclasses import dataclass
from enum import IntEnum, StrEnum


class Role(IntEnum):
    """What somebody is allowed to do, by its reach."""

    VIEWER = 1  # reports
    ANALYST = 2  # what waits and why, impact, exports of figures
    ADMIN = 3  # everything

    @classmethod
    def named(cls, name: str) -> "Role":
        """The role with a name. Raises KeyError for another word."""
        return cls[name.upper()]

    @property
    def word(self) -> str:
        """How the role is written."""
        return self.name.lower()


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
