"""Who runs a command: the table of marks in the environment, made of the lists of packages of npm and of tools/actors.toml.

usage: actor_marks.py --fetch     ask npm for the newest versions, and write tests/client/actor_environments.json anew

`make docs` writes what derives from that: the client's table, the sets that the launcher looks into, and the page.
"""

import datetime as dt
import json
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("ci-info", "std-env", "@vercel/detect-agent", "am-i-vibing")
ENVIRONMENTS = ROOT / "tests" / "client" / "actor_environments.json"
BY_HAND = ROOT / "tools" / "actors.toml"
TABLE = ROOT / "packages" / "client" / "src" / "innerloop" / "core" / "shared" / "actors.json"
LAUNCHERS = ROOT / "packages" / "client" / "src" / "innerloop" / "core" / "shared" / "environment.py"
PAGE = ROOT / "docs" / "reference" / "actors.md"
BEGIN = "# Written by tools/generate_docs.py from actors.json, which is made by tools/actor_marks.py.\n"
END = "# End of what is written from there.\n"
ANY = ("1", "true")  # as values: that the variable is there
HOW = ("is", "contains", "named")  # how a value is looked at
PARTS = {"PATH": "contains", "NODE": "contains", "EDITOR": "named"}  # of which a part is a mark

Mark = dict[str, str]
Row = dict[str, Any]


def fetch(directory: Path, *packages: str) -> dict[str, Any]:
    """Install packages of npm into a directory, the newest of each, and ask them about every environment that they know."""
    subprocess.run(
        ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", *packages], cwd=directory, check=True, capture_output=True
    )
    asked = subprocess.run(
        ["node", ROOT / "tools" / "actor_environments.mjs", directory], check=True, capture_output=True, text=True
    )  # fmt: skip
    found: dict[str, Any] = json.loads(asked.stdout)
    return found


def by_hand() -> dict[str, Any]:
    """What tools/actors.toml says."""
    return tomllib.loads(BY_HAND.read_text(encoding="utf-8"))


def known() -> dict[str, Any]:
    """Every environment that the packages know, with what each says about it: as they were when they were last fetched."""
    found: dict[str, Any] = json.loads(ENVIRONMENTS.read_text(encoding="utf-8"))
    return found


def kind(env: dict[str, str], says: dict[str, str], argued: list[Row]) -> str:
    """Who acts in an environment, by what is argued or else by what all packages say."""
    for one in argued:
        if one["env"] == env:
            return str(one["kind"])
    said = {"human" if one == "either" else one for one in says.values()}
    if len(said) != 1:
        raise SystemExit(f"the packages contradict each other about {env}: {says}. Decide in {BY_HAND.name}")
    return said.pop()


def rows() -> list[Row]:
    """The table: what each mark says, where that is from. A row that a wider one of its kind holds already is left out."""
    facts, hand = known(), by_hand()
    versions, found = facts["versions"], []
    for one in facts["environments"]:
        marks = [_mark(key, value) for key, value in one["env"].items()]
        source = ", ".join(f"{name} {versions[name]}" for name in one["says"])
        found.append(
            {
                "name": one["name"],
                "kind": kind(one["env"], one["says"], hand["argued"]),
                "marks": marks,
                "source": source,
                "date": facts["date"],
            }
        )
    found += [{**one, "date": str(one["date"])} for one in hand["own"]]
    return sorted(
        (row for row in found if not any(_holds(wider, row) for wider in found)), key=lambda row: (row["kind"], str(row["marks"]))
    )


def _mark(variable: str, value: str) -> Mark:
    return {"variable": variable} if value in ANY else {"variable": variable, PARTS.get(variable, "is"): value}


def _holds(wider: Row, row: Row) -> bool:
    """Whether a row says the same of a part of the marks."""
    if wider is row or wider["kind"] != row["kind"]:
        return False
    covered = [
        mark in row["marks"] or (len(mark) == 1 and mark["variable"] in [one["variable"] for one in row["marks"]])
        for mark in wider["marks"]
    ]
    return all(covered) and (len(wider["marks"]) < len(row["marks"]) or wider["marks"] != row["marks"])


def table() -> str:
    """The client's table, one row a line."""
    lines = ",\n".join("  " + json.dumps(row) for row in rows())
    return f'{{\n "about": "made by tools/actor_marks.py; see docs/reference/actors.md",\n "rows": [\n{lines}\n ]\n}}\n'


def launchers(text: str) -> str:
    """Put what the launcher looks into in its place in environment.py."""
    before, _, rest = text.partition(BEGIN)
    simple: dict[str, list[str]] = {"agent": [], "ci": []}
    combined = []
    for row in rows():
        if row["kind"] == "human":
            continue
        if len(row["marks"]) == 1 and len(row["marks"][0]) == 1:
            simple[row["kind"]].append(row["marks"][0]["variable"])
        else:
            combined.append(
                f'    ("{row["kind"]}", ({", ".join(map(_condition, row["marks"]))}{"," if len(row["marks"]) == 1 else ""})),\n'
            )
    sets = "".join(
        f"{name} = frozenset((\n{_wrapped(sorted(set(simple[of])))}))\n" for name, of in (("AGENT_MARKS", "agent"), ("CI_MARKS", "ci"))
    )
    return f"{before}{BEGIN}# fmt: off\n{sets}COMBINED = (\n{''.join(combined)})\n# fmt: on\n{END}{rest.partition(END)[2]}"


def _condition(mark: Mark) -> str:
    how = next((how for how in HOW if how in mark), "set")
    return f'(b{json.dumps(mark["variable"])}, "{how}", b{json.dumps(mark.get(how, ""))})'


def _wrapped(names: list[str]) -> str:
    lines, line = [], "   "
    for name in names:
        word = f' b"{name}",'
        if len(line) + len(word) > 130:
            lines.append(line)
            line = "   "
        line += word
    return "\n".join([*lines, line, ""])


def page() -> str:
    """The table as people read it."""
    parts = [_PAGE.format(fetched=known()["date"])]
    titles = {"agent": "A coding agent", "ci": "A CI service, or a machine that builds", "human": "A person, whatever else is said of it"}
    for of, title in titles.items():
        shown = [row for row in rows() if row["kind"] == of]
        lines = [f"| {' and '.join(map(_shown, row['marks']))} | {row['name']} | {row['source']} | {row['date']} |" for row in shown]
        parts.append(f"## {title}\n\n| variable | of | source | date |\n|---|---|---|---|\n" + "\n".join(lines) + "\n")
    argued = "\n".join(
        f"| {' and '.join(_shown(_mark(*pair)) for pair in one['env'].items())} | {one['kind']} | {one['why']} |"
        for one in by_hand()["argued"]
    )
    parts.append(f"## Where a package says another thing\n\n| variable | here | why |\n|---|---|---|\n{argued}\n")
    return "\n".join(parts)


def _shown(mark: Mark) -> str:
    how = next((how for how in HOW if how in mark), "")
    words = {"is": "is", "contains": "contains", "named": "names a program with"}
    return f"`{mark['variable']}`" + (f" {words[how]} `{mark[how]}`".replace("|", "\\|") if how else "")


_PAGE = """\
<!-- Written by tools/generate_docs.py from tests/client/actor_environments.json and tools/actors.toml: edit those, then `make docs`. -->
# Who ran it

The field `actor` says whether a person, a CI job or a coding agent ran a command. What tells is that a variable is there and does not mean no (`0`,
`false`, `no`, `off`, empty), or that it has a certain value; its value is never stored. Agents are looked for first, since some set `CI` for what they start;
`CI=false` says that no CI service runs this. Where nothing is marked, a person did it: also where there is no terminal, as in a build that an editor starts.

The names are facts from the lists of ci-info, std-env, @vercel/detect-agent and am-i-vibing, fetched on {fetched}, and a few from documentation. A test holds the
client to what those packages say about every environment that they know, and a slow one fetches their newest versions.
"""


def main(arguments: list[str]) -> int:
    """Fetch the packages' lists."""
    if arguments != ["--fetch"]:
        print(__doc__, file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as directory:
        found = fetch(Path(directory), *PACKAGES)
    today = dt.datetime.now(dt.UTC).date().isoformat()
    lines = ",\n".join("  " + json.dumps(one) for one in found["environments"])
    head = f' "date": "{today}",\n "versions": {json.dumps(found["versions"])},\n "environments": [\n'
    ENVIRONMENTS.write_text(f"{{\n{head}{lines}\n ]\n}}\n", encoding="utf-8")
    print(f"wrote {ENVIRONMENTS.relative_to(ROOT)}: {len(found['environments'])} environments. Then: make docs")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
