"""Somebody who reads or operates, as authentication knows them."""

from dataclasses import dataclass
from enum import Enum, StrEnum


class Role(Enum):
    """What somebody is allowed to do. Viewer, analyst and admin may each do what the one before may; a deployment's role may do nothing of theirs."""

    VIEWER = "viewer"  # what was published: reports, impact, alerts, releases, open exports
    ANALYST = "analyst"  # the same as a viewer: no operation needs more and less than an admin
    ADMIN = "admin"  # everything
    CHANGES = "changes"  # register changes, and nothing else

    @classmethod
    def named(cls, name: str) -> "Role":
        """The role with a name. Raises KeyError for another word."""
        return cls[name.upper()]

    def may(self, needed: "Role") -> bool:
        """Tell whether who has this role may do what needs another."""
        reach = (Role.VIEWER, Role.ANALYST, Role.ADMIN)
        return self in (needed, Role.ADMIN) or (self in reach and needed in reach[: reach.index(self)])

    @property
    def word(self) -> str:
        """How the role is written."""
        return self.value


class Via(StrEnum):
    """How somebody came in."""

    COMMAND = "command line"  # on the store itself, or with the token in the data directory
    TOKEN = "token"  # noqa: S105 - a word, not a secret
    SESSION = "session"
    PROXY = "proxy"
    LINK = "read-only link"


@dataclass(frozen=True, slots=True)
class Principal:
    """A role, and the projects it is for."""

    role: Role
    via: Via
    label: str = ""
    projects: frozenset[str] | None = None  # None: all

    def sees(self, project: str) -> bool:
        """Tell whether a project is among those that this one may look into."""
        return self.role.may(Role.VIEWER) and (self.projects is None or project in self.projects)


OPERATOR = Principal(Role.ADMIN, Via.COMMAND, "operator")
