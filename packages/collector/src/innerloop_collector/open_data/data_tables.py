"""The tables of open data, as rows and columns: both follow from the views, and so does what is said of each column."""

import types
from datetime import date
from typing import Any, NamedTuple, Union, get_args, get_origin, get_type_hints

from innerloop_collector.query import Count, Minutes, OpenData, People, View, document
from innerloop_collector.query.received import received

Row = dict[str, Any]
_KINDS: dict[type, str] = {str: "string", int: "integer", bool: "boolean", date: "date", Count: "integer", Minutes: "number"}
_KEYS = {
    "projects": ("project",),
    "releases": ("project", "release"),
    "cells": ("project", "release", "breakdown", "name"),
    "outcomes": ("project", "release", "breakdown", "name", "outcomes"),
    "splits": ("project", "release", "breakdown", "name", "split", "classes"),
    "critical": ("project", "release", "target"),
    "hidden": ("project", "release", "breakdown", "name"),
}
LABEL = "label"


class Column(NamedTuple):
    """A column, in the words of Table Schema."""

    name: str
    kind: str
    description: str
    required: bool


class Table(NamedTuple):
    """A table with its rows."""

    name: str
    description: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]  # the columns that name a row; empty: all of them together
    rows: list[Row]


def read(answer: dict[str, Any]) -> OpenData:
    """Open data as a collector answered it. Raises msgspec.ValidationError for what no collector of this version publishes."""
    return received(answer, OpenData)


def tables(data: OpenData) -> list[Table]:
    """Every table. Where there is a label, each row has it."""
    out = []
    given = document(data)
    for name, view in _views().items():
        columns = _columns(view)
        rows = [_row(one) for one in given[name]]
        if data.label:
            columns = (Column(LABEL, "string", "What is to be known before anything else.", required=True), *columns)
            rows = [{LABEL: data.label, **row} for row in rows]
        out.append(Table(name, view.__doc__ or "", columns, _KEYS.get(name, ()), rows))
    return out


def _views() -> dict[str, type[View]]:
    """The tables of open data: field -> the view of its rows."""
    hints = get_type_hints(OpenData)
    return {name: get_args(hint)[0] for name, hint in hints.items() if get_origin(hint) is tuple}


def _columns(view: type[View]) -> tuple[Column, ...]:
    out: list[Column] = []
    for name, hint in get_type_hints(view, include_extras=True).items():
        of, meta = get_args(hint)[:2]
        kinds = get_args(of) if get_origin(of) in (Union, types.UnionType) else (of,)
        kind = next(one for one in kinds if one is not types.NoneType)
        if kind is People:
            out += [Column(f"{name}_at_{end}", "integer", f"{meta.description} Its {which} end.", required=False) for end, which in _ENDS]
        else:
            required = types.NoneType not in kinds and kind is not Count
            out.append(Column(name, _KINDS[kind], meta.description, required))
    return tuple(out)


_ENDS = (("least", "lower"), ("most", "upper"))


def _row(given: Row) -> Row:
    """A view's fields as columns: a range is two."""
    out: Row = {}
    for name, value in given.items():
        if name == "developers":
            out |= dict(zip((f"{name}_at_{end}" for end, _ in _ENDS), value or (None, None), strict=True))
        else:
            out[name] = value
    return out
