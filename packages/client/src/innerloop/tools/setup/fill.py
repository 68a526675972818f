"""Fill in what an earlier init left blank in `innerloop.toml`: the values alone; every other byte stays.

The result is read again: where it does not say what the old file said plus the values, nothing is changed.
"""

import copy
import re

from innerloop.core.plan import toml
from innerloop.tools.setup import names, template
from innerloop.tools.setup.changes import Refused

_TABLE = re.compile(r"^[ \t]*\[[ \t]*(?:project|\"project\"|'project')[ \t]*\][ \t]*(?:#.*)?$", re.MULTILINE)
_HINT = r"(?:[ \t]*# to fill in:[^\r\n]*)?"


def fill(data: bytes, values: "dict[str, str]") -> bytes:
    """The file with values in its table `[project]`. Raises Refused where that cannot be done without touching anything else."""
    wanted = copy.deepcopy(names.document(data))
    table = wanted.get("project")
    if not isinstance(table, dict):
        raise Refused("innerloop.toml has no table [project]; fill it in by hand")
    table.update(values)
    text = data.decode("utf-8")
    for key, value in values.items():
        text = _filled(text, key, value)
    try:
        found = toml.loads(text)
    except toml.TomlError:
        found = {}
    if found != wanted:
        raise Refused(f"innerloop.toml is written in a way that init cannot fill in; put {', '.join(values)} in by hand")
    return text.encode()


def _filled(text: str, key: str, value: str) -> str:
    """The value in the place of the blank one, and of the hint beside it; as a line of its own where the key is not there."""
    line = f"{key} = {template.quoted(value)}"
    heading = _TABLE.search(text)
    at = heading.end() if heading else 0
    blank = re.compile(rf"^[ \t]*{key}[ \t]*=[ \t]*(?:\"[^\"\r\n]*\"|'[^'\r\n]*'){_HINT}", re.MULTILINE)
    if found := blank.search(text, at):
        return text[: found.start()] + line + text[found.end() :]
    end = "\r\n" if "\r\n" in text else "\n"
    return f"{text[:at]}{end}{line}{text[at:]}"
