"""Takes keys out of the tables of a parsed project file, and checks that each is of its kind."""

from typing import Any

from innerloop.core.plan.project import ProjectError
from innerloop.core.shared.printable import clean


class Reader:
    """Takes keys out of a table, checks them and remembers which were never asked for."""

    def __init__(self, document: "dict[str, Any]") -> None:
        self.document = document
        self.seen: "set[str]" = set()
        self.foreign: "list[str]" = []  # keys of [[recipients]] that nobody asks for

    def table(self, name: str) -> "dict[str, Any]":
        """A table; an empty one where there is none."""
        self.seen.add(name)
        value = self.document.get(name, {})
        if not isinstance(value, dict):
            raise ProjectError(f"[{name}] must be a table")
        return value

    def take(self, table: str, key: str, kind: type, default: Any) -> Any:
        """A value of a kind, or the default where there is none."""
        self.seen.add(f"{table}.{key}")
        value = self.table(table).get(key, default)
        if value is default:
            return default
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise ProjectError(f"{table}.{key} must be {_KINDS[kind]}")
        return value

    def text(self, table: str, key: str, default: str = "", longest: int = 200) -> str:
        """A text, cleaned for whoever prints it."""
        value = self.take(table, key, str, default)
        if len(value) > longest:
            raise ProjectError(f"{table}.{key} is longer than {longest} characters")
        return clean(value)

    def words(self, table: str, key: str) -> "list[str]":
        """A list of strings, as they are written."""
        values: "list[str]" = self.take(table, key, list, [])
        if not all(isinstance(value, str) for value in values):
            raise ProjectError(f"{table}.{key} must be a list of strings")
        return values

    def strings(self, table: str, key: str) -> "tuple[str, ...]":
        """A list of strings, cleaned."""
        return tuple(map(clean, self.words(table, key)))

    def unknown(self) -> "tuple[str, ...]":
        """The keys that nobody asked for."""
        found = []
        for name, value in self.document.items():
            if name not in self.seen:
                found.append(name)
            elif isinstance(value, dict) and name not in ("fields", "rename", "events", "renamed_from"):
                found.extend(f"{name}.{key}" for key in value if f"{name}.{key}" not in self.seen)
        return tuple(clean(name) for name in found + self.foreign)


_KINDS = {str: "a string", int: "a whole number", bool: "true or false", list: "a list", dict: "a table"}
