"""Logs: JSON lines on stderr, of ours and of libraries.

A line may hold no id, key, token, address or path. What we log ourselves is counts and closed words; as a second line, what looks like any of
those is taken out of every text. Of a library's message only what its author wrote is kept, not what was put in; and of a failure its type
and the places in the code that it passed: a message may quote what a sender wrote.
"""

import ast
import contextlib
import functools
import logging
import os
import re
import sys
import threading
import traceback
from collections.abc import Collection, MutableMapping
from typing import Any, TextIO, cast

import structlog

LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
_STDERR = 2
_DEEPEST = 12  # places of a failure that are named
_OURS = ("timestamp", "level", "url")  # `url`: where the service listens, which its operator chose
_KEY_ID = re.compile("[0-9a-f]{12}")  # how a person names a write key: the beginning of its hash
_SUSPECT = re.compile(
    r"""['"`].*['"`]                        # from the first quotation to the last: what is quoted may hold quotes
    | \b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b    # an address
    | \[?(?:[0-9a-f]{0,4}:){3,7}[0-9a-f]{0,4}\]?
    | [\w-]*[0-9a-f]{12}[\w.-]*              # the end of a UUID, a hash
    | \d{9,}                                 # a hash in decimal, a time to the millisecond
    | \w[\w-]*\.[\w-]{16,}                   # a write key
    | [\w-]{30,}                             # a token
    | \S+@\S+                                # an address of mail
    | (?<![\w/])/\S+                         # a path
    """,
    re.VERBOSE | re.IGNORECASE,
)
_SILENT = ("clickhouse_connect", "newrelic_telemetry_sdk", "opentelemetry", "segment", "urllib3.connectionpool")
Line = MutableMapping[str, Any]


def configure(level: str = "info") -> None:
    """Log from a level on: debug, info, warning or error. Libraries are heard from warning on."""
    shared: list[structlog.typing.Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _reduce_failure,
        _take_out_suspects,
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.JSONRenderer()],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        logger_factory=structlog.PrintLoggerFactory(cast("TextIO", _Forgiving())),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(_Forgiving())
    handler.addFilter(_keep_what_its_author_wrote)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, structlog.processors.JSONRenderer()],
            foreign_pre_chain=[structlog.stdlib.add_logger_name, structlog.stdlib.ExtraAdder(allow=()), *shared],
        )
    )
    silence_libraries()
    logging.basicConfig(handlers=[handler], level=max(LEVELS[level], logging.WARNING), force=True)
    sys.excepthook = lambda _, error, trace: _died("process", error.with_traceback(trace))
    threading.excepthook = lambda args: _died(args.thread.name if args.thread else "thread", args.exc_value)
    sys.unraisablehook = lambda args: _died("unraisable", args.exc_value)


class _Forgiving:
    """stderr for lines that may be lost, as where the log's disk is full: whoever wanted to log goes on, and nothing is left for the end."""

    def __init__(self) -> None:
        self._text = ""

    def write(self, text: str) -> int:
        """Keep what belongs to a line. Whoever writes holds a lock."""
        self._text += text
        return len(text)

    def flush(self) -> None:
        """Write the line, or let it be."""
        line, self._text = self._text.encode(errors="backslashreplace"), ""
        with contextlib.suppress(OSError):
            os.write(_STDERR, line)


def _died(what: str, error: BaseException | None) -> None:
    """Say what nobody caught, without the message that Python would print."""
    structlog.get_logger().error("uncaught failure", what=what, exc_info=error)


def without_suspects(text: str) -> str:
    """Take out of a text what may be an id, a key, an address, a path or a quotation."""
    return _SUSPECT.sub("…", text)


def _take_out_suspects(_: Any, __: str, line: Line) -> Line:
    for name, value in line.items():
        if isinstance(value, str) and name not in _OURS and not (name == "key" and _KEY_ID.fullmatch(value)):
            line[name] = without_suspects(value)
    return line


def _reduce_failure(_: Any, __: str, line: Line) -> Line:
    """Replace a traceback by the failure's type and where it passed."""
    failure = line.pop("exc_info", None)
    if failure is True:
        failure = sys.exc_info()
    error = failure[1] if isinstance(failure, tuple) else failure
    if isinstance(error, BaseException):
        line["kind"] = type(error).__name__
        line["where"] = [f"{frame.name}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)[-_DEEPEST:]]
    return line


def _keep_what_its_author_wrote(record: logging.LogRecord) -> bool:
    """Keep a library's message where it is a constant of the file that logs it, without what was to be put in."""
    if record.msg not in _constants_of(record.pathname):
        record.msg = "a message that may quote somebody was left out"
    record.args = None
    record.stack_info = None
    return True


@functools.lru_cache(maxsize=256)
def _constants_of(file: str) -> Collection[Any]:
    """Every text that a source file holds. None: there is no such file, or it is no Python."""
    try:
        with open(file, "rb") as source:
            tree = ast.parse(source.read())
    except (OSError, SyntaxError, ValueError, RecursionError):
        return ()
    return [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]


def silence_libraries() -> None:
    """Let those say nothing whose messages quote addresses, statements or events. What failed is in the error that their caller gets."""
    for name in _SILENT:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
