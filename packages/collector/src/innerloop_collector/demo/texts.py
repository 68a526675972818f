"""What the demo says, and the project file that it writes."""

from collections.abc import Sequence

INTRODUCTION = """\
innerloop, a demo: six developers build Lua with Lua's own Makefile; what they
agreed to is measured, delivered over HTTP and reported. All of it happens on
this machine, in a temporary directory; no account, no network."""

NEXT = """\
  innerloop-collector serve --data DIRECTORY
                          a collector that stays
  docs/guides/platform-engineers.md
                          measure a project of yours
  innerloop run -- make   after `innerloop opt-in` in a project with an innerloop.toml
  make demo DEMO="--keep DIRECTORY"
                          this again, keeping the homes, spools and the store"""


def project_file(project: str, endpoint: str, write_key: str, names: Sequence[str]) -> str:
    """Write the innerloop.toml that stands beside Lua's Makefile."""
    listed = ", ".join(f'"{name}"' for name in names)
    return f"""\
[project]
id = "{project}"
name = "Lua"
organisation = "The demo"
endpoint = "{endpoint}"
write_key = "{write_key}"
region = "this machine"
contact = "nobody: this is a demo"
retention_days = 30

[names]
allow = [{listed}]
"""


def after_make(shown: str, most: int = 6) -> str:
    """Cut what a terminal showed down to its end: make's last line and what came after it."""
    return "\n".join(shown.strip().split("\n")[-most:])


def ledger(counts: dict[str, int]) -> str:
    """Write a ledger as an equation."""
    places = [f"{counts.get(place, 0)} {place}" for place in ("acknowledged", "queued", "quarantined", "dropped")]
    return f"{counts['recorded']} recorded = {' + '.join(places)}"
