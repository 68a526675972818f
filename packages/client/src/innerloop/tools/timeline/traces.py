"""A run as a trace file: Chrome's trace events, which ui.perfetto.dev opens, and speedscope's own format.

Both want spans on one track to be nested. A target that ran makes holds the targets below it; what ran beside them is on
tracks of its own.
"""

import heapq
from typing import Any

from innerloop import __version__
from innerloop.core.targets import path
from innerloop.core.targets.target_log import Log
from innerloop.tools.timeline import opening
from innerloop.tools.timeline.runs import Known

SCHEMA = "https://www.speedscope.app/file-format-schema.json"


def tracks(log: Log, ends: "list[int]") -> "list[list[int]]":
    """Put every target on a track: on its parent's where that is free, else on the first that is."""
    found: "list[list[int]]" = []
    stacks: "list[list[int]]" = []  # what each track is in the middle of
    free: "list[int]" = []  # those in the middle of nothing, the first one at the front
    running: "list[tuple[int, int]]" = []  # when something on a track ends, and on which; the soonest at the front
    placed: "list[int]" = []  # the track of each target so far
    for place, one in enumerate(log.targets):
        while running and running[0][0] <= one.start_ns:
            number = heapq.heappop(running)[1]
            stacks[number].pop()  # what began last ends first
            if not stacks[number]:
                heapq.heappush(free, number)
        above = None if one.parent is None else placed[one.parent]
        if above is not None and stacks[above][-1:] == [one.parent] and ends[place] <= ends[stacks[above][-1]]:
            number = above
        elif free:
            number = heapq.heappop(free)
        else:
            number = len(stacks)
            stacks.append([])
            found.append([])
        stacks[number].append(place)
        found[number].append(place)
        placed.append(number)
        heapq.heappush(running, (ends[place], number))
    return found


def perfetto(run: Known, log: Log) -> "dict[str, Any]":
    """Chrome's trace event format, JSON object form: complete events, times in microseconds."""
    begin, ends = opening.origin(run, log), path.close(list(log.targets), log.end_ns)
    events: "list[dict[str, Any]]" = [{"ph": "M", "pid": 1, "tid": 0, "name": "process_name", "args": {"name": run.name}}]
    for track, places in enumerate(tracks(log, ends), 1):
        events.append({"ph": "M", "pid": 1, "tid": track, "name": "thread_name", "args": {"name": f"lane {track}"}})
        for place in places:
            one = log.targets[place]
            details = {
                "outcome": one.outcome, "exit_status": one.status, "critical_path": one.critical, "directory": one.directory,
                "cpu_ms": one.cpu_us / 1000, "memory_kb": one.memory_kb, "prerequisites": " ".join(one.prerequisites),
            }  # fmt: skip
            category = "target,critical" if one.critical else "target"
            span = {"ts": (one.start_ns - begin) / 1000, "dur": (ends[place] - one.start_ns) / 1000}
            events.append({"ph": "X", "pid": 1, "tid": track, "name": one.name, "cat": category, **span, "args": details})
    return {"traceEvents": events, "displayTimeUnit": "ms", "otherData": {"exporter": f"innerloop {__version__}", "run": run.id}}


def speedscope(run: Known, log: Log) -> "dict[str, Any]":
    """Speedscope's file format: an evented profile for each track, times in ns."""
    begin, ends = opening.origin(run, log), path.close(list(log.targets), log.end_ns)
    frames = {key: number for number, key in enumerate(dict.fromkeys((one.name, one.directory) for one in log.targets))}
    profiles = []
    for track, places in enumerate(tracks(log, ends), 1):
        events: "list[dict[str, Any]]" = []
        stack: "list[int]" = []

        def close(until: float, stack: "list[int]" = stack, events: "list[dict[str, Any]]" = events) -> None:
            while stack and ends[stack[-1]] <= until:
                one = log.targets[stack[-1]]
                events.append({"type": "C", "frame": frames[one.name, one.directory], "at": ends[stack.pop()] - begin})

        for place in places:
            one = log.targets[place]
            close(one.start_ns)
            stack.append(place)
            events.append({"type": "O", "frame": frames[one.name, one.directory], "at": one.start_ns - begin})
        close(float("inf"))
        limits = {"startValue": 0, "endValue": max(log.end_ns - begin, 0)}
        profiles.append({"type": "evented", "name": f"lane {track}", "unit": "nanoseconds", **limits, "events": events})
    return {
        "$schema": SCHEMA,
        "name": run.name,
        "exporter": f"innerloop {__version__}",
        "activeProfileIndex": 0,
        "shared": {"frames": [{"name": name, "file": directory} for name, directory in frames]},
        "profiles": profiles,
    }
