"""The package without its extra `embedded`: it reads and administers a collector elsewhere, and says so where that is not enough."""

import importlib.util

from innerloop_collector.errors import UsageError

_INSTALL = "install innerloop-collector[embedded]"


def refuse_without_engine() -> None:
    """Raise UsageError where the extra is not installed: before anything is made that only a collector of this machine needs."""
    if importlib.util.find_spec("chdb") is None:
        raise UsageError(f"this needs the engine, which is not installed here: {_INSTALL}, or ask a collector elsewhere with --url URL")


def of_the_extra(error: ModuleNotFoundError) -> UsageError:
    """What to say of a module that is not there. Raises the error where none of the extra's is missing: then it is a defect."""
    if (error.name or "").startswith("innerloop") or importlib.util.find_spec("chdb") is not None:
        raise error
    return UsageError(f"this needs {error.name}, which is not installed here: {_INSTALL}")
