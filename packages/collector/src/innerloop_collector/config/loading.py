"""Reads the configuration: the file, the environment, and what is wrong with them in one line.

Precedence: the command line, the environment (`INNERLOOP_COLLECTOR_<SECTION>_<KEY>`), the file, the default. msgspec has no codes for
what it finds, so that its words are looked at; a test fails when they change.
"""

import difflib
import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from innerloop_collector.config.configuration import NAMED, PREFIX, Configuration, keys_of, sections
from innerloop_collector.config.files import read_text
from innerloop_collector.errors import UsageError

FILE_VARIABLE = PREFIX + "CONFIG"
OTHER_VARIABLES = frozenset({FILE_VARIABLE, PREFIX + "DATA", PREFIX + "URL", PREFIX + "TOKEN"})  # not keys of the file
_UNKNOWN = re.compile(r"Object contains unknown field `([^`]*)`(?: - at `\$\.?(.*)`)?")
_LONG_KEY = re.compile(r"""(?<![\w-])(?:(?:[\w-]++|"(?:[^"\\\n]|\\.)*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+){16}""")
_WRONG = re.compile(r"(.*) - at `\$\.(.*)`")


def load(given: str | None, environ: Mapping[str, str]) -> Configuration:
    """Read the file that is named (by the option, else by the variable) and the environment. Raises UsageError."""
    name = given or environ.get(FILE_VARIABLE)
    document = _read(Path(name)) if name else {}
    source = name or "the environment"
    for variable, section, key, value in _settings_of(environ):
        table = document.setdefault(section, {})
        if isinstance(table, dict):  # what else it is, is said below
            table[key] = _from_text(section, key, value, variable)
    try:
        return msgspec.convert(document, Configuration)
    except msgspec.ValidationError as error:
        raise UsageError(f"{source}: {_readable(_with_its_name(str(error), document))}") from error


def _with_its_name(message: str, document: dict[str, Any]) -> str:
    """What msgspec says, with the name of the destination or channel that it is about."""
    table = next((table for table in NAMED if f"$.{table}[...]" in message), "")
    for name, keys in document.get(table, {}).items():
        try:
            msgspec.convert(keys, NAMED[table])
        except msgspec.ValidationError:
            return message.replace(f"$.{table}[...]", f"$.{table}.{name}")
    return message


def _read(path: Path) -> dict[str, Any]:
    text = read_text(path)
    if _LONG_KEY.search(text):  # the parser takes memory by the square of a key's parts
        raise UsageError(f"{path} has a key of more than 16 parts")
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path} is not valid TOML: {error}") from error
    except RecursionError as error:
        raise UsageError(f"{path} is nested too deep") from error


def _settings_of(environ: Mapping[str, str]) -> list[tuple[str, str, str, str]]:
    """The variables that set something: variable, section, key, value. Raises UsageError for one that sets nothing."""
    known = {f"{PREFIX}{section}_{key}".upper(): (section, key) for section, keys in sections().items() for key in keys}
    found = []
    for variable, value in sorted(environ.items()):
        if not variable.startswith(PREFIX) or variable in OTHER_VARIABLES:
            continue
        if variable not in known:
            raise UsageError(f"the environment variable {variable} sets nothing{_nearest(variable, known)}")
        found.append((variable, *known[variable], value))
    return found


def _from_text(section: str, key: str, value: str, variable: str) -> Any:
    """A value of the environment as the file would say it. Lists are separated by commas."""
    kind = Configuration.__annotations__[section].__annotations__[key]
    text: Any = [part.strip() for part in value.split(",") if part.strip()] if "tuple" in str(kind) else value
    try:
        return msgspec.to_builtins(msgspec.convert(text, kind, strict=False))
    except msgspec.ValidationError as error:
        raise UsageError(f"the environment variable {variable}: {error}") from error


def _keys_at(place: str) -> dict[str, msgspec.inspect.Field]:
    """The keys that a table may have."""
    table, dot, _ = place.partition(".")
    return keys_of(NAMED[table]) if dot and table in NAMED else sections().get(place, {})


def _choices(place: str) -> str:
    """What may stand at a key, where that is one of a few words."""
    table, _, key = place.rpartition(".")
    field = _keys_at(table).get(key)
    kind = field.type if field else None
    return "; choose " + ", ".join(map(str, kind.values)) if isinstance(kind, msgspec.inspect.LiteralType) else ""


def _nearest(word: str, known: Iterable[str]) -> str:
    """What was probably meant."""
    near = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"; did you mean {near[0]}?" if near else "; docs/reference/configuration.md lists what there is"


def _readable(message: str) -> str:
    """What msgspec says, in the words of the file."""
    if unknown := _UNKNOWN.fullmatch(message):
        place, known = (
            (f"[{unknown[2]}]", _keys_at(unknown[2])) if unknown[2] else ("the file", dict.fromkeys(Configuration.__struct_fields__))
        )
        return f"{place} has an unknown key: {unknown[1]}{_nearest(unknown[1], known)}"
    if wrong := _WRONG.fullmatch(message):
        return f"{wrong[2]}: {wrong[1][0].lower()}{wrong[1][1:]}{_choices(wrong[2])}"
    return message
