"""Write down what can be configured: a reference page, and a file to start from. Both derive from the collector's own types.

A field's comment is its line: `port: int = 8080  # port to listen on`. A table whose name the operator chooses is a dictionary of structs;
where there are several kinds of it, each is listed under its tag.
"""

import inspect
import json
import tokenize
from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

from innerloop_collector.config.configuration import PREFIX, Configuration

PAGE = """\
# Configuration of the collector

One TOML file, named by `--config FILE` or `$INNERLOOP_COLLECTOR_CONFIG`, and the environment. What counts, first to last: the
command line, the environment, the file, the default. A key that is not on this page is refused. The variable of a key is
`{prefix}<SECTION>_<KEY>`, such as `{prefix}SERVER_PORT`; lists are separated by commas there. Tables whose
NAME you choose are set in the file only.

`innerloop-collector config check` reads it as the service would, `config show` prints what is in force, without secrets.
[deploy/innerloop-collector.toml](../../deploy/innerloop-collector.toml) is a file to start from. A change counts after the next start.

"""
EXAMPLE = """\
# Configuration of innerloop-collector. Every key with its default: take the # off what you change.
# Written from the sources by `make docs`; docs/reference/configuration.md is the same as a page.
"""


class Key(NamedTuple):
    """One setting."""

    name: str
    type: str
    default: str
    about: str


class Table(NamedTuple):
    """One table of the file."""

    name: str
    about: str
    keys: list[Key]


def page(notice: str) -> str:
    """The reference page."""
    return notice + "\n" + PAGE.format(prefix=PREFIX) + "\n".join(_section(table) for table in tables())


def example() -> str:
    """The file to start from."""
    return EXAMPLE + "".join(_commented(table) for table in tables())


def tables() -> list[Table]:
    """Every table; those whose name the operator chooses come last."""
    return sorted(_tables_of(Configuration, ""), key=lambda table: "NAME" in table.name)


def _tables_of(struct: type[msgspec.Struct], prefix: str) -> Iterator[Table]:
    info = msgspec.inspect.type_info(struct)
    assert isinstance(info, msgspec.inspect.StructType)
    for field in info.fields:
        kind: Any = field.type
        if isinstance(kind, msgspec.inspect.StructType):
            yield from _table(prefix + field.name, kind)
        elif isinstance(kind, msgspec.inspect.DictType):
            for one in _alternatives(kind.value_type):
                yield from _table(f"{prefix}{field.name}.NAME", one)


def _alternatives(kind: Any) -> list[Any]:
    found = kind.types if isinstance(kind, msgspec.inspect.UnionType) else (kind,)
    return [one for one in found if isinstance(one, msgspec.inspect.StructType)]


def _table(name: str, kind: msgspec.inspect.StructType) -> Iterator[Table]:
    about = inspect.getdoc(kind.cls) or ""
    tag = [Key(kind.tag_field, f'"{kind.tag}"', "", "which kind this is")] if kind.tag_field else []
    comments = _comments(kind.cls)
    plain = [one for one in kind.fields if not isinstance(one.type, (msgspec.inspect.StructType, msgspec.inspect.DictType))]
    yield Table(name, about, tag + [Key(one.encode_name, _type(one.type), _default(one), comments.get(one.name, "")) for one in plain])
    yield from _tables_of(kind.cls, name + ".")


def _comments(struct: type) -> dict[str, str]:
    """The comment behind each field, of a struct and those it extends."""
    found: dict[str, str] = {}
    for one in reversed(struct.__mro__):
        if issubclass(one, msgspec.Struct) and one.__module__.startswith("innerloop_collector"):
            found |= _own_comments(one)
    return found


def _own_comments(struct: type) -> dict[str, str]:
    lines = iter(inspect.getsource(struct).splitlines(keepends=True))
    found: dict[str, str] = {}
    name = ""
    first = True
    for token in tokenize.generate_tokens(lambda: next(lines, "")):
        if first and token.type == tokenize.NAME and token.start[1] == 4:
            name, first = token.string, False
        elif token.type == tokenize.COMMENT and name:
            found[name] = token.string.lstrip("# ")
        elif token.type in (tokenize.NEWLINE, tokenize.NL):
            first = first or token.type == tokenize.NEWLINE
    return found


def _type(kind: Any) -> str:
    names = {"IntType": "whole number", "FloatType": "number", "StrType": "text", "BoolType": "true or false"}
    if isinstance(kind, msgspec.inspect.LiteralType):
        return ", ".join(json.dumps(value) for value in kind.values)
    if isinstance(kind, msgspec.inspect.UnionType):
        return " or ".join(_type(one) for one in kind.types)
    if hasattr(kind, "item_type"):
        return f"list of {_type(kind.item_type)}"
    return names.get(type(kind).__name__, type(kind).__name__)


def _default(field: msgspec.inspect.Field) -> str:
    if field.required:
        return ""
    value = field.default_factory() if field.default is msgspec.NODEFAULT else field.default
    return json.dumps(msgspec.to_builtins(value))


def _section(table: Table) -> str:
    rows = [f"| `{key.name}` | {key.type} | {f'`{key.default}`' if key.default else 'required'} | {key.about} |" for key in table.keys]
    return (
        f"## `[{table.name}]`\n\n{table.about}\n\n"
        + "\n".join(["| key | value | default | what it is |", "|---|---|---|---|", *rows])
        + "\n"
    )


def _commented(table: Table) -> str:
    lines = [f"\n# {line}".rstrip() for line in table.about.splitlines()]
    head = f"[{table.name}]" if not table.name.endswith(".NAME") else f"# [{table.name}]"
    keys = [f"# {key.name} = {key.default or '...'}  # {key.about}\n" for key in table.keys]
    return "".join(lines) + f"\n{head}\n" + "".join(keys)
