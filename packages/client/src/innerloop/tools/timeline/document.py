"""A run as a document for programs. Times in ms from the run's start; targets refer to each other by their places in the list."""

import time
from typing import Any

from innerloop.core.targets.target_log import Log
from innerloop.core.targets.tree import Target
from innerloop.tools.timeline import explanation, opening
from innerloop.tools.timeline.explanation import Explanation
from innerloop.tools.timeline.runs import Known


def about(one: Known, log: Log) -> "dict[str, Any]":
    """A run without its targets."""
    return {
        "run": one.id,
        "name": one.name,
        "start": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(one.start)),
        "state": one.state,
        "duration_ms": _ms(opening.span(one, log)),
        "exit_status": one.status,
        "exit": "unknown" if one.status is None else one.exit,
    }


def condition(log: Log) -> "dict[str, Any]":
    """How whole a target log is."""
    return {"unreadable_records": log.damaged, "lines_without_room": log.cut, "problem": log.problem}


def as_json(one: Known, log: Log, what: Explanation) -> "dict[str, Any]":
    """A run with its targets, and what explains it."""
    begin = opening.origin(one, log)
    return {
        **about(one, log),
        **condition(log),
        "lanes": log.lanes,
        "critical_path": {"duration_ms": _ms(log.critical_ns), "targets": list(log.critical)},
        "first_failure": log.first_failure,
        "makes": [{"pid": make.pid, "directory": make.directory, "level": make.level, "parent": make.parent} for make in log.makes],
        "targets": [_target(target, begin) for target in log.targets],
        "explanation": explanation.as_json(what),
    }


def _target(target: Target, begin: int) -> "dict[str, Any]":
    return {
        "name": target.name,
        "directory": target.directory,
        "make": target.make,
        "parent": target.parent,
        "offset_ms": _ms(target.start_ns - begin),
        "total_ms": None if target.duration_ns is None else _ms(target.duration_ns),
        "own_ms": _ms(target.own_ns),
        "outcome": target.outcome,
        "exit_status": target.status,
        "cause": target.cause,
        "critical": target.critical,
        "lane": target.lane,
        "lines": len(target.lines),
        "cpu_ms": target.cpu_us / 1000,
        "memory_kb": target.memory_kb,
        "prerequisites": list(target.prerequisites),
        "order_only": list(target.order_only),
    }


def _ms(nanoseconds: int) -> float:
    return round(nanoseconds / 1e6, 3)
