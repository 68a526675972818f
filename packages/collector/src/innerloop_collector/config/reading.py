"""Read files that a person names, never more than makes sense. May import: errors.

What is in them may be somebody else's: a project file comes with a clone. A path may also lead to something without an end.
"""

from pathlib import Path

from innerloop_collector.errors import UsageError

MOST_BYTES = 262_144  # of a project file or a configuration: as much as the client reads


def read_text(path: Path, most: int = MOST_BYTES) -> str:
    """Read a text. Raises UsageError, also for one that is too large."""
    try:
        with path.open("rb") as file:
            content = file.read(most + 1)
        if len(content) > most:
            raise UsageError(f"cannot read {path}: it has more than {most} bytes")
        return content.decode("utf-8")
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"cannot read {path}: it is not UTF-8 text") from error
