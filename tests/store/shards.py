"""Rewrite a query of one table as a cluster executes it: each shard makes states of the aggregates of its own rows, and they are merged.

Every SELECT of `events` with aggregates becomes: `-State` over each shard's table with the same conditions and keys, and `-Merge` over all of
those. What has no aggregate reads the rows of all shards. What stands around such a SELECT stays, as it is executed where the
query arrived.
"""

import re
from collections.abc import Collection, Sequence
from itertools import accumulate, pairwise
from typing import NamedTuple

_EVENTS = re.compile(r"\bFROM events\b")
_CALL = re.compile(r"\b([A-Za-z_]\w*)\(")
_CLAUSES = re.compile(r"\b(FROM|WHERE|GROUP BY|HAVING|ORDER BY|LIMIT)\b")


class Call(NamedTuple):
    """A call of an aggregate within a text."""

    start: int
    end: int
    name: str
    parameters: str  # "(0.5, 0.9)" or ""
    arguments: str

    @property
    def text(self) -> str:
        """The call itself."""
        return f"{self.name}{self.parameters}({self.arguments})"


def over_shards(sql: str, tables: Collection[str], aggregates: Collection[str]) -> str:
    """Rewrite a query, the innermost SELECT first."""
    while found := list(_EVENTS.finditer(sql)):
        depths = _depths(sql)
        start, end = _block(sql, max(found, key=lambda match: depths[match.start()]).start(), depths)
        sql = sql[:start] + _select(sql[start:end], tables, aggregates) + sql[end:]
    return sql


def _select(sql: str, tables: Collection[str], aggregates: Collection[str]) -> str:
    clauses = _split(sql)
    calls = {call.text: call for name in ("SELECT", "HAVING", "ORDER BY") for call in _calls(clauses.get(name, ""), aggregates)}
    if not calls and "GROUP BY" not in clauses:
        rows = " UNION ALL ".join(f"SELECT * FROM {table}" for table in tables)
        return _EVENTS.sub(f"FROM ({rows})", sql)
    keys = _keys(clauses)
    states = {text: f"state_{number}" for number, text in enumerate(calls)}
    made = ", ".join(
        [*(f"{key.expression} AS {key.name}" for key in keys), *(f"{_state(calls[text])} AS {name}" for text, name in states.items())]
    )
    where = f" WHERE {clauses['WHERE']}" if "WHERE" in clauses else ""
    group = f" GROUP BY {', '.join(key.name for key in keys)}" if keys else ""
    joined = clauses["FROM"].removeprefix("events")  # what a JOIN adds was rewritten before, and every shard has all of it
    shards = " UNION ALL ".join(f"SELECT {made} FROM {table}{joined}{where}{group}" for table in tables)
    wanted = _selected(clauses["SELECT"], aggregates, states, keys)
    rest = [f"{name} {_merged(clauses[name], aggregates, states, keys)}" for name in ("HAVING", "ORDER BY", "LIMIT") if name in clauses]
    return " ".join([f"SELECT {wanted} FROM ({shards}){group}", *rest])


class Key(NamedTuple):
    """What a SELECT groups by."""

    name: str  # ours
    written: str  # in GROUP BY
    expression: str  # the same, unless that is the alias of something selected


def _keys(clauses: dict[str, str]) -> list[Key]:
    aliases = {}
    for item in _list(clauses["SELECT"]):
        if match := re.fullmatch(r"(.*\S)\s+AS\s+(\w+)", item, re.DOTALL):
            aliases[match[2]] = match[1]
    return [Key(f"key_{number}", key, aliases.get(key, key)) for number, key in enumerate(_list(clauses.get("GROUP BY", "")))]


def _merged(text: str, aggregates: Collection[str], states: dict[str, str], keys: list[Key]) -> str:
    """What is said of rows, said of states and keys."""
    for call in reversed(_calls(text, aggregates)):
        text = text[: call.start] + f"{call.name}Merge{call.parameters}({states[call.text]})" + text[call.end :]
    for key in keys:
        text = re.sub(rf"(?<![\w.]){re.escape(key.written)}(?!\w|\s*\()", key.name, text)
    return text


def _selected(text: str, aggregates: Collection[str], states: dict[str, str], keys: list[Key]) -> str:
    """The list of what is selected; keys are called as before."""
    whole = {key.written: f"{key.name} AS {key.written}" for key in keys if re.fullmatch(r"\w+", key.written)}
    whole |= {f"{key.expression} AS {key.written}": f"{key.name} AS {key.written}" for key in keys}
    return ", ".join(
        whole.get(" ".join(item.split())) or whole.get(item) or _merged(item, aggregates, states, keys) for item in _list(text)
    )


def _state(call: Call) -> str:
    return f"{call.name}State{call.parameters}({call.arguments})"


def _base(name: str) -> str:
    """An aggregate without its combinators."""
    return re.sub(r"(If|Map|Array|Distinct|OrNull|OrDefault|Resample)+$", "", name)


def _calls(text: str, aggregates: Collection[str]) -> list[Call]:
    """The aggregates in a text, from left to right."""
    found: list[Call] = []
    for match in _CALL.finditer(text):
        name = match[1]
        if not {name, _base(name)} & set(aggregates) or (found and match.start() < found[-1].end):
            continue
        end = _closing(text, match.end() - 1)
        first = text[match.end() : end - 1]
        if text[end : end + 1] == "(":
            last = _closing(text, end)
            found.append(Call(match.start(), last, name, f"({first})", text[end + 1 : last - 1]))
        else:
            found.append(Call(match.start(), end, name, "", first))
    return found


def _split(sql: str) -> dict[str, str]:
    """The clauses of a SELECT."""
    depths = _depths(sql)
    marks = [(match.start(), match.end(), match[1]) for match in _CLAUSES.finditer(sql) if not depths[match.start()]]
    places = [(0, len("SELECT"), "SELECT"), *marks, (len(sql), len(sql), "")]
    return {name: sql[end : after[0]].strip() for (_, end, name), after in pairwise(places)}


def _list(text: str) -> list[str]:
    """The items of a list."""
    parts, start, depths = [], 0, _depths(text)
    for place, character in enumerate(text):
        if character == "," and not depths[place]:
            parts.append(text[start:place])
            start = place + 1
    return [part.strip() for part in [*parts, text[start:]] if part.strip()]


def _block(sql: str, place: int, depths: Sequence[int]) -> tuple[int, int]:
    """The SELECT that a FROM belongs to."""
    depth = depths[place]
    start = max(match.start() for match in re.finditer(r"\bSELECT\b", sql[:place]) if depths[match.start()] == depth)
    end = next((at for at in range(place, len(sql)) if sql[at] == ")" and depths[at] == depth), len(sql))
    return start, end


def _depths(text: str) -> list[int]:
    """Within how many brackets each place of a text is."""
    return list(accumulate(({"(": 1, "[": 1, ")": -1, "]": -1}.get(character, 0) for character in text), initial=0))


def _closing(text: str, opening: int) -> int:
    """The place after the bracket that closes the one at a place."""
    depth = 0
    for place in range(opening, len(text)):
        depth += {"(": 1, ")": -1}.get(text[place], 0)
        if not depth:
            return place + 1
    raise AssertionError(f"unbalanced: {text[opening:]}")
