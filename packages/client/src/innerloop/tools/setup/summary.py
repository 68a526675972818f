"""What `innerloop init` says: what it found, what it wrote, what comes next, as text or as JSON."""

import argparse
import os
from collections.abc import Iterator
from typing import Any, NamedTuple

from innerloop.core.consent import phrases
from innerloop.core.plan import project as projects
from innerloop.core.shared.terminal import line, say
from innerloop.tools.output import count, show, show_json
from innerloop.tools.setup import changes, hooks, template, ways
from innerloop.tools.setup.changes import Change
from innerloop.tools.setup.makefiles import Makefile
from innerloop.tools.setup.template import Listed


class Setup(NamedTuple):
    """What was found, and what is to be done about it."""

    root: str
    found: "list[Makefile]"
    listed: "list[Listed]"
    way: str
    plan: ways.Plan
    new: "list[Listed]"  # names that the project file does not list
    missing: "list[str]"  # what is to be filled in
    project: str  # its id


def finish(setup: Setup, given: argparse.Namespace) -> int:
    """Show, write, and say."""
    written = _carry_out(setup.plan.changes, setup.root, given)
    if given.json:
        show_json(_document(setup, given, written))
        return 0
    _say_found(setup)
    _say_changes(setup.plan.changes, setup.root, given.dry_run)
    if setup.new and not given.update_names:
        show("\ninnerloop.toml does not list these; `innerloop init --update-names` adds them:\n")
        show(template.lines(setup.new), end="")
    if setup.way == "hook":
        _say_hooks()
    for remark in setup.plan.remarks:
        show("\n" + phrases.fold(line(f"Note: {remark}.")))
    _say_next(setup, given)
    return 0


def _say_found(setup: Setup) -> None:
    with_text = sum(1 for one in setup.listed if one.text and one.name.rpartition(":")[2] != "make")
    show(line(f"{setup.root}: {count(len(setup.found), 'Makefile')}, {count(len(setup.listed), 'name')}, {with_text} with a help text"))


def _carry_out(planned: "list[Change]", root: str, given: argparse.Namespace) -> "list[str]":
    """Print what changes where that was asked for or a file of people's is touched, then do it. Returns the paths written."""
    if not given.json and (given.dry_run or given.update_names):
        for change in planned:
            show(changes.difference(change, root))
    if given.dry_run:
        return []
    for change in planned:
        changes.apply(change)
    return [change.path for change in planned]


def _say_changes(planned: "list[Change]", root: str, dry: bool) -> None:
    done = {"write": "would be written" if dry else "written", "change": "would be changed" if dry else "changed"}
    done["remove"] = "would be removed" if dry else "removed"
    for change in planned:
        show("\n" + phrases.fold(line(f"{os.path.relpath(change.path, root)} {done[change.verb]}: {change.about}.")))
    if not planned:
        show("\nThere is nothing to change.")


def _say_hooks() -> None:
    show("\nThe hook is each developer's own. One line in the shell's file; nothing was written there:\n")
    for shell, (path, command) in hooks.LINES.items():
        show(f"  {shell:<5} {path}\n        {command}")


def _say_next(setup: Setup, given: argparse.Namespace) -> None:
    steps = list(_steps(setup, given))
    if steps:
        show("\nNext:")
        for number, step in enumerate(steps, 1):
            show(line(f"  {number}. {step}"))
    show("\nTo undo all of this: innerloop init --uninstall")


def _steps(setup: Setup, given: argparse.Namespace) -> "Iterator[str]":
    """What is to be done, in an order in which each can be: the collector makes a key for a project that it knows."""
    missing = [key for key in setup.missing if key != "write_key"]
    stems = [one.name for one in setup.listed if "*" in one.name]
    file = [one for one in setup.plan.changes if os.path.basename(one.path) == projects.PROJECT_FILE]
    if missing:
        yield f"fill in innerloop.toml: {', '.join(missing)}. Until all of it is filled in, nothing is measured and nobody is asked"
    if file:
        yield "review the names in innerloop.toml: whatever is listed may leave"
    if file and stems:
        yield f"list stems in innerloop.toml: without them {count(len(stems), 'pattern')} such as `{stems[0]}` allow nothing"
    if setup.missing or file:
        yield "on the collector's machine: innerloop-collector projects apply innerloop.toml"
    if "write_key" in setup.missing:
        yield f"on that machine too: innerloop-collector keys create {setup.project}; put the key into innerloop.toml as write_key"
    if names := _to_commit(setup) if not given.dry_run else []:
        yield f"commit {', '.join(names)}"
    if setup.missing or setup.plan.changes:
        tell = ". Tell them, because the GNUmakefile asks nobody" if setup.way in ("makefile", "private") else ""
        yield f"each developer decides for themselves: innerloop opt-in{tell}"


def _to_commit(setup: Setup) -> "list[str]":
    """What was written, or what waits until innerloop.toml is filled in."""
    names = [os.path.relpath(one.path, setup.root) for one in setup.plan.changes if "/info/" not in one.path]
    if setup.missing and projects.PROJECT_FILE not in names:
        names.insert(0, projects.PROJECT_FILE)
    return [name for name in names if setup.way != "private" or os.path.basename(name) != "GNUmakefile"]


def _document(setup: Setup, given: argparse.Namespace, written: "list[str]") -> "dict[str, Any]":
    return {
        "root": setup.root,
        "makefiles": [one.path for one in setup.found],
        "names": [one._asdict() for one in setup.listed],
        "way": setup.way,
        "changes": _change_documents(setup.plan.changes, setup.root),
        "written": written,
        "names_not_listed": [] if given.update_names else [one.name for one in setup.new],
        "to_fill_in": setup.missing,
        "remarks": setup.plan.remarks,
    }


def _change_documents(planned: "list[Change]", root: str) -> "list[dict[str, str]]":
    return [{"path": one.path, "verb": one.verb, "about": one.about, "diff": changes.difference(one, root)} for one in planned]


def finish_uninstall(root: str, plan: ways.Plan, given: argparse.Namespace) -> int:
    """Take out, and say what stays. Exit status 1 where something of ours had to stay."""
    written = _carry_out(plan.changes, root, given)
    if given.json:
        document = {"root": root, "changes": _change_documents(plan.changes, root), "written": written}
        show_json({**document, "remarks": plan.remarks, "left": plan.left})
    else:
        _say_changes(plan.changes, root, given.dry_run)
        for remark in plan.remarks:
            show("\n" + phrases.fold(line(f"Note: {remark}.")))
        for left in plan.left:
            say(f"innerloop: {left}")
    return 1 if plan.left else 0
