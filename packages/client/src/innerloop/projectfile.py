"""Read `innerloop.toml` and the machine-wide file from disk.

May import: the standard library, the plan and toml.
"""

import os
from typing import NamedTuple

from innerloop import toml
from innerloop.plan.project import Project, ProjectError, read


class FoundProject(NamedTuple):
    """A project file that was found and is good."""

    path: str
    project: Project

    @property
    def directory(self) -> str:
        """The directory that holds the project file."""
        return os.path.dirname(self.path)


def load(path: str) -> FoundProject:
    """Read one project file. Raises ProjectError: path, what is wrong, what to do."""
    try:
        with open(path, "rb") as file:
            if os.fstat(file.fileno()).st_uid not in (os.geteuid(), 0):
                raise ProjectError("it belongs to somebody else")
            data = file.read(262145)
        if len(data) > 262144:
            raise ProjectError("it is larger than 256 KB")
        return FoundProject(path, read(toml.loads(data.decode("utf-8"))))
    except OSError as error:
        raise ProjectError(f"{path}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:  # TomlError, ProjectError and UnicodeDecodeError are ValueErrors
        raise ProjectError(f"{path}: {error}") from error


def machine_mode(path: str) -> str:
    """What the machine-wide file allows: `on` where it says nothing, `local` or `off`. Off when in doubt."""
    try:
        with open(path, "rb") as file:
            document = toml.loads(file.read(65536).decode("utf-8"))
    except FileNotFoundError:
        return "on"
    except (OSError, ValueError, RecursionError):
        return "off"
    mode = document.get("mode", "on")
    return mode if mode in ("on", "local") else "off"
