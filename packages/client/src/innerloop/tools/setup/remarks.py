"""What `innerloop init` remarks on: what a person would otherwise find out later."""

import argparse
import json
import os
from collections.abc import Iterator

from innerloop.tools import output
from innerloop.tools.setup import changes, gnumakefile, makefiles, targets
from innerloop.tools.setup.makefiles import Makefile
from innerloop.tools.setup.proposals import Proposed

MOST_SHOWN = 8  # words of a proposal that are said


def remarks(root: str, found: "list[Makefile]", made: "list[Makefile]", way: str, given: argparse.Namespace) -> "Iterator[str]":
    """Everything that is worth a remark. `made`: the Makefile here that a tool made, looked into or not."""
    below = [one for one in found if one.directory]
    own = os.path.join(root, gnumakefile.NAME)
    gone = gnumakefile.gone(root, changes.look(own)) if os.path.isfile(own) and not os.path.islink(own) else ""
    if gone:
        yield gone
    elif made:
        yield from _made(made[0].name, looked_into=made[0] in found, way=way)
    elif not found:
        yield "no Makefile was found: measure any command with `innerloop run -- COMMAND`, and list under [names] what may leave"
    if makefiles.is_unconfigured(root):
        yield "a tool will make the Makefile here: run it first (configure, cmake), then `innerloop init --update-names`"
    if not makefiles.in_checkout(root):
        yield "this is not a git repository: Makefiles were looked for here and one directory below"
    if way in ("makefile", "private") and below and not given.all_makefiles:
        number = output.count(len(below), "directory", "directories")
        yield f"{number} below with a Makefile too: to measure `make -C` there, use --all-makefiles or the shell hook"
    if any(targets.passes_goals_on(os.path.join(root, one.directory), one.name, root) for one in found if not one.directory):
        yield "the Makefile accepts goals that it has no rule for (.DEFAULT or %): add by hand those that people type"


def proposed(found: Proposed) -> "Iterator[str]":
    """What a new project file proposes besides names."""
    for key, words in found._asdict().items():
        if words:
            shown = ", ".join(f"`{word}`" for word in words[:MOST_SHOWN])
            more = f" and {len(words) - MOST_SHOWN} more" if len(words) > MOST_SHOWN else ""
            yield f"{output.count(len(words), key[:-1])} proposed in innerloop.toml: {shown}{more}"


def lacking(found: Proposed) -> "Iterator[str]":
    """What a project file that is there says nothing about."""
    for key, words in found._asdict().items():
        if words:
            more = ", ..." if len(words) > MOST_SHOWN else ""
            asks = "; whoever agreed already is asked again" if key == "groups" else ""
            yield f"innerloop.toml says nothing of {key}; what fits: {key} = [{', '.join(map(json.dumps, words[:MOST_SHOWN]))}{more}] under [names]{asks}"


def _made(name: str, looked_into: bool, way: str) -> "Iterator[str]":
    if not looked_into:
        yield f"git ignores the {name} here, so a tool made it, and init did not read it: `innerloop init --update-names` lists its targets"
    if way not in ("hook", "private"):
        yield f"a tool made the {name} here, and git does not track it: init wrote no GNUmakefile beside it. Use --way hook, or --way private for this checkout only"
