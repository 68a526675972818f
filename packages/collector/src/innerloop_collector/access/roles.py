"""The roles of those who read and operate a collector. May import: the standard library.

Each role may do what the ones before it may. Writers of events have no role: a write key opens ingest and nothing else.
"""

from enum import IntEnum


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
