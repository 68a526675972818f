"""Read `innerloop.toml` and the machine-wide file from disk."""

import os
from typing import NamedTuple

from innerloop.core.plan import toml
from innerloop.core.plan.project import Project, ProjectError
from innerloop.core.plan.project_reader import read
from innerloop.core.shared import files

LARGEST = 262144  # bytes of a project file


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
    text = ""
    try:
        text = files.read_shared(path, LARGEST, (os.geteuid(), 0)).decode("utf-8")
        return FoundProject(path, read(toml.loads(text)))
    except ProjectError as error:
        raise ProjectError(f"{path}: {error.of(text)}") from error
    except files.UnusableFile as error:
        raise ProjectError(str(error)) from error
    except OSError as error:
        raise ProjectError(f"{path}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:  # TomlError and UnicodeDecodeError are ValueErrors
        raise ProjectError(f"{path}: {error}") from error


def machine_mode(path: str) -> str:
    """What the machine-wide file allows: `on` where it says nothing, `local` or `off`. Off when in doubt."""
    try:
        document = toml.loads(files.read_shared(path, LARGEST).decode("utf-8"))
    except FileNotFoundError:
        return "on"
    except (OSError, files.UnusableFile, ValueError, RecursionError):
        return "off"
    mode = document.get("mode", "on")
    return mode if mode in ("on", "local") else "off"
