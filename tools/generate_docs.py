"""Write the pages of docs/ that derive from the sources, so that they cannot say something else.

usage: generate_docs.py [--check]     with --check: fail where a page is not current
"""

import difflib
import json
import sys
import tomllib
from pathlib import Path

import actor_marks
import configuration_pages
import reading_path
import requirements
from protections import Protection, protections

from innerloop.core.plan.tracking import OFF, PLAN, Event, Field

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
NOTICE = "<!-- Written by tools/generate_docs.py from {}: edit that, then `make docs`. -->\n"
CONFIGURATION_NOTICE = NOTICE.format("packages/collector/src/innerloop_collector/config/configuration.py")
PLAN_NOTICE = NOTICE.format("packages/client/src/innerloop/core/plan/plan.json")
REQUIREMENTS_NOTICE = NOTICE.format("tests/requirements/requirements.toml, the names of tests and tests/protections/*.toml")


def main(arguments: list[str]) -> int:
    """Write the pages, or check that they are current."""
    if arguments not in ([], ["--check"]):
        print(__doc__, file=sys.stderr)
        return 2
    stale = {path: text for path, text in pages().items() if _read(path) != text}
    for path, text in stale.items():
        if arguments:
            sys.stderr.writelines(_difference(path, text))
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            print(f"wrote {path.relative_to(ROOT)}")
    if stale and arguments:
        print("generated pages are not current. Try: make docs", file=sys.stderr)
        return 1
    return 0


def pages() -> dict[Path, str]:
    """Everything that is generated, by where it goes."""
    return {
        DOCS / "reference" / "plan.md": plan_page(),
        DOCS / "reference" / "configuration.md": configuration_pages.page(CONFIGURATION_NOTICE),
        ROOT / "deploy" / "innerloop-collector.toml": configuration_pages.example(),
        DOCS / "requirements.md": requirements_page(),
        DOCS / "transparency.md": transparency_page(),
        reading_path.PAGE: reading_path.page(NOTICE.format("tools/reading_path.py and the files that it names")),
        actor_marks.PAGE: actor_marks.page(),
        actor_marks.TABLE: actor_marks.table(),
        actor_marks.LAUNCHERS: actor_marks.launchers(_read(actor_marks.LAUNCHERS)),
    }


def plan_page() -> str:
    """Write the tracking plan out for people."""
    parts = [PLAN_NOTICE, "# The tracking plan\n", _INTRODUCTION.format(version=PLAN.version), "## Events\n"]
    parts += [_event(event) for event in PLAN.events.values()]
    parts += ["## Around the events\n", _batch(), "## Fields\n", _overview(), *(_field(field) for field in PLAN.fields.values())]
    return "\n".join(parts)


def requirements_page() -> str:
    """Write the table of requirements out, each with its tests and the protections that were shown to matter."""
    rows, tests, taken_out = requirements.requirements(), requirements.numbered_tests(), protections()
    overview = [f"| [{row.title}](#{row.title.lower()}) | {row.text} | {row.state} |" for row in rows]
    counts = (sum(map(len, tests.values())), len(taken_out))
    parts = [REQUIREMENTS_NOTICE, "# What nobody should have to complain about\n", _ABOUT_REQUIREMENTS.format(*counts)]
    parts += ["\n".join(["| | requirement | state |", "|---|---|---|", *overview]) + "\n"]
    parts += [_requirement(row, tests.get(row.number, []), taken_out) for row in rows]
    return "\n".join(parts)


def transparency_page() -> str:
    """Put what the table of builds declares into its page, between two marks; the rest of it is written by hand."""
    before, _, rest = _read(DOCS / "transparency.md").partition(_BUILDS_BEGIN)
    _, _, after = rest.partition(_BUILDS_END)
    cases = [case for path in _CONFORMANCE for case in tomllib.loads(path.read_text(encoding="utf-8"))["case"] if "deviation" in case]
    rows = [(case["deviation"], case["name"]) for case in cases]
    lines = [f"| {one['title']} | {one['why']} | {one['who']} | `{name}` |" for one, name in rows]
    table = "\n".join(["| what | why | who notices | asserted by the row |", "|---|---|---|---|", *lines])
    return f"{before}{_BUILDS_BEGIN}\n{table}\n{_BUILDS_END}{after}"


_CONFORMANCE = [ROOT / "tests" / "conformance" / name for name in ("cases.toml", "terminal.toml")]
_BUILDS_BEGIN = "<!-- Written by tools/generate_docs.py from tests/conformance/*.toml: edit those, then `make docs`. -->"
_BUILDS_END = "<!-- End of what is written from there. -->"

_ABOUT_REQUIREMENTS = """\
Users of tools that measure commands complained about 56 things. Each is a requirement here, and is tried by tests that bear its
number: {0} tests, most of them by doing what the complaint describes. A test that cannot fail proves nothing, so `make test-slow` also takes {1}
protections out of the installed client and the collector, one at a time, and demands that the test named beside it fails.

"Kept" means that the requirement's tests are run by `make test` and `make test-slow`, so by CI. What the collector keeps is tried
by tests of the collector too, and "in part" means that something is not built yet, which is named. Where a complaint's wording and
innerloop's design differ, the design decides, and the requirement says so. This page is written from the tests' names, so that it cannot
name one that is not there.
"""


def _requirement(row: requirements.Requirement, tests: list[requirements.NamedTest], protections: list[Protection]) -> str:
    own = [f"  - [`{test.file}`](../{test.file}): {test.promise}" for test in tests]
    elsewhere = map(requirements.test_named, row.covered)
    own += [f"  - [`{test.file}`](../{test.file}): {test.promise}" for test in elsewhere]
    taken_out = [f"  - {one.name} (`{one.definition}`): `{one.test}`" for one in protections if row.number in one.requirements]
    lines = [f"- **State**: {row.state}", f"- **Complaints**: {', '.join(row.complaints)}"]
    lines += [f"- **The design decides**: {row.design}"] if row.design else []
    lines += [f"- **Not built yet**: {row.lacks}"] if row.lacks else []
    lines += ["- **Tests**:", *own] if own else []
    lines += ["- **Shown to fail without**:", *taken_out] if taken_out else []
    return f"### {row.title}\n\n{row.text}\n\n" + "\n".join(lines) + "\n"


_INTRODUCTION = """\
Every field that may leave a developer's machine, and why. A field that is not on this page cannot be sent: the client's
filter, the consent question, the collector's validation and the store's columns derive from the same file. This is plan
version {version}. A project may switch fields off, make them coarser or finer and call them otherwise
([project file](project-file.md)); whoever said yes before a change that widens anything is asked again before it counts
([consent](../concepts/consent.md)).
"""


def _batch() -> str:
    """What a request says once for all of its events."""
    rows = [f"| `{name}` | {about} | {_code(example)} |" for name, about, example in PLAN.batch]
    return "\n".join(["What a request says once, beside its events:\n", "| member | what it is | example |", "|---|---|---|", *rows]) + "\n"


def _code(example: str) -> str:
    return example if "`" in example else f"`{example}`"


def _event(event: Event) -> str:
    needs = f" Sent only where the field `{event.needs}` is on." if event.needs else ""
    fields = ", ".join(f"[`{name}`](#{_anchor(name)})" for name in event.properties)
    return f"### `{event.wire}`\n\n{event.about[0].upper()}{event.about[1:]}.{needs}\n\nProperties: {fields}.\n"


def _overview() -> str:
    rows = [f"| [`{field.name}`](#{_anchor(field.name)}) | {field.label} | {_default(field)} |" for field in PLAN.fields.values()]
    return "\n".join(["| field | in the consent question | unless the project file says otherwise |", "|---|---|---|", *rows]) + "\n"


def _field(field: Field) -> str:
    lines = [
        ("Question it answers", field.purpose),
        ("Where", "the envelope of the event" if field.where == "envelope" else "the event's properties"),
        ("Value", _value(field)),
        ("Exactness", f"{_choices(field)}; {_default(field)} unless the project file says otherwise"),
        ("Follows", f"as exact as [`{field.follows}`](#{_anchor(field.follows)})" if field.follows else ""),
        ("Goes with", f"off where [`{field.part_of}`](#{_anchor(field.part_of)}) is off" if field.part_of else ""),
        ("Seed mode", "off" if not field.in_seed_mode else ""),
        ("Absent", _ABSENT[field.absent_without] if field.absent_without else ""),
        ("Example", f"`{_literal(field.example)}`"),
        ("Risk", field.risk),
        ("Considered instead", field.record["alternatives"]),
        ("Read by", field.record["reader"]),
        ("Kind", f"{field.record['category']} data"),
        (
            "Added",
            f"{field.record['added']}, stops by itself after {field.record['expires']} unless renewed; owner: {field.record['owner']}",
        ),
    ]
    body = "\n".join(f"- **{title}**: {text}" for title, text in lines if text)
    return f"### `{field.name}`\n\n{field.label[0].upper()}{field.label[1:]}.\n\n{body}\n"


def _value(field: Field) -> str:
    if field.values:
        text = ", ".join(f"`{value}`" for value in field.values)
    elif field.type == "integer":
        unit = f" {field.record['unit']}" if "unit" in field.record else ""
        text = f"a whole number from {field.minimum} to {field.maximum}{unit}"
    else:
        text = _TYPES[field.type]
    return f"{text}, or null where it is not known" if field.nullable else text


_ABSENT = {
    "git": "outside a git checkout",
    "cohort": "where the developer named none",
    "probe": "where no probe looked into make",
    "failure": "where the run failed, or the command had not failed before",
    "interrupt": "where the run was not stopped from outside",
    "changes": "where the project lists no open change, or the directory cannot be looked into",
}
_TYPES = {
    "id": "a random UUID (version 4), never ordered by time",
    "instant": "an instant in ISO 8601, UTC",
    "commit_time": "an ISO week such as `2026-W47`, or an instant where exact",
    "name": "a name that the project file lists, cut to 50 characters, else the text of a group that it lists, else `other`",
    "boolean": "true or false",
    "cohort": "one of the words that the project file offers",
    "changes": "a list of names of changes that the project file lists as open, in its order; empty where the checkout has none of them",
    "label": "`no`, or a label of 1 to 16 characters of a-z 0-9 -",
    "version": "major and minor version",
}


def _choices(field: Field) -> str:
    if len(field.granularities) == 1:
        return f"`{field.granularities[0]}` or off"
    return "coarsest first " + ", ".join(f"`{name}`" for name in field.granularities) + ", or off"


def _default(field: Field) -> str:
    return "off" if field.default == OFF else f"`{field.default}`"


def _anchor(name: str) -> str:
    return name.lower()


def _literal(value: object) -> str:
    if isinstance(value, list):
        return json.dumps(value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""


def _difference(path: Path, text: str) -> list[str]:
    name = str(path.relative_to(ROOT))
    return list(difflib.unified_diff(_read(path).splitlines(keepends=True), text.splitlines(keepends=True), name, f"{name} (current)"))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
