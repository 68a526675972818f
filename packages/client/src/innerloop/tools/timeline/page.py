"""A run as one HTML file that needs nothing else: it opens without a network, and its policy lets it ask nobody.

The only script and the only style are files of ours, named by their SHA-256 in the policy. Whatever comes from a log stands in the file as escaped
text or as data, and reaches the page as text.
"""

import base64
import hashlib
import heapq
import json
import os
from html import escape
from typing import Any, Optional

from innerloop import __version__
from innerloop.core.shared.printable import clean
from innerloop.core.targets import path
from innerloop.core.targets.target_log import Log
from innerloop.core.targets.tree import RUNNING, UNKNOWN
from innerloop.tools.timeline import explanation, opening, words
from innerloop.tools.timeline.explanation import Explanation
from innerloop.tools.timeline.rows import directory
from innerloop.tools.timeline.runs import Known

CRITICAL, FAILED, UNFINISHED, NESTING = 1, 2, 4, 8  # as page.js knows them
LANES, NESTS, LISTED = 400, 40, 10  # rows that are drawn, and that tables have


def page(run: Known, log: Log, what: Explanation, when: str, ending: str) -> str:
    """The whole file, in ASCII. `when` and `ending` say in a few words when the run was and how it ended."""
    style, script = _file("page.css"), _file("page.js")
    policy = f"default-src 'none'; script-src '{_digest(script)}'; style-src '{_digest(style)}'; base-uri 'none'; form-action 'none'"
    title = f"{run.name}, {when}"
    parts = [_header(run, log, when, ending), _why(what), _chart(log) if log.targets else "", *_tables(run, log, what)]
    text = f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>{_text(title)}</title>
<style>{style}</style>
</head>
<body>
<main>
{"".join(parts)}<footer>Run {_text(run.id)}. Written by innerloop {_text(__version__)} on this machine. The file asks nobody for anything; it holds names and directories of your targets.</footer>
</main>
<script type="application/json" id="run">{_data(run, log)}</script>
{f"<script>{script}</script>" if log.targets else ""}
</body>
</html>
"""
    return text.encode("ascii", "xmlcharrefreplace").decode("ascii")


def _file(name: str) -> str:
    """A file of ours beside this one, also out of a zip file. It is ASCII, or its digest would be that of another text."""
    loader = globals()["__loader__"]
    data: bytes = loader.get_data(os.path.join(os.path.dirname(__file__), name))
    return data.decode("ascii")


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _text(text: str) -> str:
    """A text from elsewhere, as text of a page."""
    return escape(clean(text))


def _header(run: Known, log: Log, when: str, ending: str) -> str:
    length = opening.span(run, log)
    leaves = sum(1 for one in log.targets if one.lane is not None)
    critical = sum(1 for one in log.targets if one.critical and one.lane is not None)
    headline = f"{words.duration(length)} of waiting; {critical:,} of {words.count(leaves, 'target')} {'was' if critical == 1 else 'were'} on the critical path."
    if not log.targets:
        headline = f"{words.duration(length)} of waiting. {opening.nothing(run, log)}"
    ends = path.close(list(log.targets), log.end_ns)
    done = sum(ends[place] - one.start_ns for place, one in enumerate(log.targets) if one.lane is not None)
    failed = sum(1 for one in log.targets if one.failed and one.cause is None)
    facts = [
        ("Waited", words.duration(length), ""),
        ("Work done", words.duration(done), ""),
        ("Jobs busy on average", f"{done / max(length, 1):.1f}", f"of {log.lanes} side by side"),
        ("Failed", f"{failed:,}", ""),
    ]
    shown = "".join(f"<div><dt>{name}</dt><dd>{value} <small>{more}</small></dd></div>" for name, value, more in facts)
    said = "".join(f"<p>{_text(one)}</p>" for one in opening.remarks(run, log)) if log.targets else ""
    return f'<header><p class="eyebrow">{_text(run.name)} &middot; {_text(when)} &middot; {_text(ending)}</p><h1>{_text(headline)}</h1>{said}<dl>{shown}</dl></header>\n'


def _why(what: Explanation) -> str:
    said = explanation.sentences(what)
    if not said:
        return ""
    return (
        f'<section class="wide"><h2>Why, and what would help</h2><ul>{"".join(f"<li>{_text(one)}</li>" for one in said)}</ul></section>\n'
    )


def _chart(log: Log) -> str:
    lanes = f" Only the first {LANES} of {log.lanes:,} rows are drawn." if log.lanes > LANES else ""
    return f"""<section class="wide"><h2>Where the time went</h2>
<noscript><p>The drawing needs JavaScript; the tables below do not.</p></noscript>
<div id="drawing" hidden>
<ul class="key"><li><i class="critical"></i>on the critical path</li><li><i class="rest"></i>other work</li><li><i class="failed"></i>failed (hatched)</li></ul>
<div class="tools"><button type="button" id="zoom-in">+ Zoom in</button><button type="button" id="zoom-out">&minus; Zoom out</button><button type="button" id="whole">Whole run</button>
<label for="find">Find</label><input type="search" id="find" placeholder="part of a name" autocomplete="off" spellcheck="false"><span id="found" role="status"></span></div>
<p class="note" id="help">Drag to move, choose a bar to read it, Ctrl and wheel to zoom. Keys, once the drawing has the focus: arrows, + and &minus;, 0 for the whole run, Home, End,
C and Shift-C for the steps of the critical path, F for failures. Enter in the field goes to the next match.{lanes}</p>
<div id="chart" tabindex="0" role="group" aria-label="Targets over time" aria-describedby="help"><canvas aria-hidden="true"></canvas></div>
<p id="readout" role="status">Choose a bar to read it.</p>
</div></section>
"""


def _tables(run: Known, log: Log, what: Explanation) -> "list[str]":
    if not log.targets:
        return []
    begin, length = opening.origin(run, log), max(opening.span(run, log), 1)
    ends = path.close(list(log.targets), log.end_ns)

    def row(place: int) -> str:
        one = log.targets[place]
        took = ends[place] - one.start_ns
        cells = [words.duration(one.start_ns - begin), words.duration(took), f"{took / length:.1%}"]
        return f"<tr><th scope=row>{_button(log, place)}</th>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"

    leaves = [place for place, one in enumerate(log.targets) if one.lane is not None]
    took = {place: ends[place] - log.targets[place].start_ns for place in leaves}
    heads = ("Target", "Started", "Took", "Of the wait")
    steps = sorted((place for place in leaves if log.targets[place].critical), key=lambda place: -took[place])[:LISTED]
    longest = sorted(leaves, key=lambda place: -took[place])[:LISTED]
    failed = [place for place, one in enumerate(log.targets) if one.failed and one.cause is None]
    return [
        _table("Longest steps on the critical path", heads, [row(place) for place in steps], "There are none."),
        _table("Failed", ("Target", "After", "How"), [_failure(log, place, begin, ends) for place in failed[: 2 * LISTED]], "Nothing failed."),
        _table("Longest targets", heads, [row(place) for place in longest], "There are none."),
        _predicted(log, what),
    ]  # fmt: skip


def _button(log: Log, place: int) -> str:
    one = log.targets[place]
    where = directory(log, log.makes[one.make])
    return f'<button type="button" data-bar="{place}">{_text(one.name if where == "." else f"{where}: {one.name}")}</button>'


def _failure(log: Log, place: int, begin: int, ends: "list[int]") -> str:
    one = log.targets[place]
    return f"<tr><th scope=row>{_button(log, place)}</th><td>{words.duration(ends[place] - begin)}</td><td>{_text(words.ending(one.status))}</td></tr>"


def _predicted(log: Log, what: Explanation) -> str:
    """What the run would have taken otherwise."""
    said = what.predictions
    rows = []
    for one in (*said.jobs, *said.targets[:LISTED]):
        label = f"with -j{one.jobs}" if one.target is None else f"without the time of {_button(log, one.target)}"
        low, high = words.duration(one.length.low), words.duration(one.length.high)
        gained = words.duration(max(said.recorded - one.length.high, 0))
        rows.append(f"<tr><th scope=row>{label}</th><td>{high if low == high else f'{low} to {high}'}</td><td>&minus;{gained}</td></tr>")
    none = f"Not computed: {_text(said.refused)}." if said.refused else "Nothing was tried."
    return _table("The run otherwise, as predicted", ("What", "The run would take", "Gained at least"), rows, none)


def _table(title: str, heads: "tuple[str, ...]", rows: "list[str]", none: str) -> str:
    if not rows:
        return f"<section><h2>{title}</h2><p>{none}</p></section>\n"
    head = "".join(f"<th scope=col>{one}</th>" for one in heads)
    return f"<section><h2>{title}</h2><table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table></section>\n"


def _data(run: Known, log: Log) -> str:
    """What the script draws: seven numbers for each target, times in microseconds from the run's start."""
    begin, ends = opening.origin(run, log), path.close(list(log.targets), log.end_ns)
    names: "dict[str, int]" = {}
    places: "dict[str, int]" = {"": 0}
    directories = [directory(log, make) for make in log.makes]
    nests = _nests(log, ends)
    lanes = min(log.lanes, LANES)
    bars: "list[int]" = []
    for place, one in enumerate(log.targets):
        where = directories[one.make]
        name = names.setdefault(clean(one.name), len(names))
        inside = places.setdefault("" if where == "." else clean(where), len(places))
        row = lanes + nests[place] if one.lane is None else one.lane if one.lane < LANES else LANES + NESTS
        flags = (
            CRITICAL * one.critical + FAILED * one.failed + UNFINISHED * (one.outcome in (UNKNOWN, RUNNING)) + NESTING * (one.lane is None)
        )
        bars += [
            name,
            inside,
            row,
            (one.start_ns - begin) // 1000,
            (ends[place] - one.start_ns) // 1000,
            flags,
            -1 if one.parent is None else one.parent,
        ]
    length = max(opening.span(run, log), log.end_ns - begin, 0) // 1000
    rows = lanes + max((row + 1 for row in nests.values() if row < NESTS), default=0)
    document: "dict[str, Any]" = {
        "length": length,
        "lanes": lanes,
        "rows": rows,
        "names": list(names),
        "places": list(places),
        "bars": bars,
    }
    return json.dumps(document, separators=(",", ":")).replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _nests(log: Log, ends: "list[int]") -> "dict[int, int]":
    """The row of each target that ran makes, below the lanes: the first one that is free."""
    found: "dict[int, int]" = {}
    free: "list[int]" = []
    taken: "list[tuple[int, int]]" = []
    for place, one in enumerate(log.targets):
        if one.lane is not None:
            continue
        while taken and taken[0][0] <= one.start_ns:
            heapq.heappush(free, heapq.heappop(taken)[1])
        row: Optional[int] = heapq.heappop(free) if free else None
        found[place] = len(taken) if row is None else row
        heapq.heappush(taken, (ends[place], found[place]))
    return found
