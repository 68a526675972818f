"""The ways in that `innerloop init` installs, and taking them out again: both are lists of changes, made of what is there."""

import os
from typing import NamedTuple, Optional

from innerloop.tools.setup import exclude, git_directory, gnumakefile, makefiles, owners, targets, template
from innerloop.tools.setup.changes import Change, Refused, look
from innerloop.tools.setup.makefiles import Makefile


class Plan(NamedTuple):
    """What is to be changed, and what a person should know besides."""

    changes: "list[Change]"
    remarks: "list[str]"
    left: "list[str]" = []  # what of ours could not be taken out, and why


def attachable(root: str, found: "list[Makefile]", chosen: "list[Makefile]") -> "tuple[list[Makefile], list[str]]":
    """The chosen Makefiles beside which a GNUmakefile of ours is in nobody's way; and what to say of the others."""
    reasons = owners.owners(root, found, chosen)
    said: "dict[str, list[str]]" = {}
    for directory, reason in reasons.items():
        said.setdefault(reason, []).append(os.path.join(directory, gnumakefile.NAME))
    remarks = []
    for reason, paths in said.items():
        some = ", ".join(paths[:3]) + (f" and {len(paths) - 3} more" if len(paths) > 3 else "")
        there = [path for path in paths if gnumakefile.is_whole(targets.read(os.path.join(root, path)))]
        remarks.append(f"{some} might be in the way of the project's own, so init writes none there: {reason}")
        if there:
            remarks.append(
                f"{', '.join(there)} is from an earlier init and may make `make` start itself for ever: `innerloop init --uninstall` removes it"
            )
    return [one for one in chosen if one.directory not in reasons], remarks


def attach(root: str, chosen: "list[Makefile]", private: bool) -> Plan:
    """Let make be seen in some directories, for everybody or for this checkout alone. Raises Refused."""
    plan = Plan([], [])
    for one in chosen:
        path = os.path.join(root, one.directory, gnumakefile.NAME)
        data = look(path)
        if data is None:
            about = f"make reads it first; it reads {one.name}, and, where a developer agreed, a file of innerloop's"
            plan.changes.append(Change(path, None, gnumakefile.whole(one.name), about))
        elif gnumakefile.is_edited(data):
            raise Refused(f"{path} names innerloop, but not as init writes it; remove those lines, or finish the edit, and run init again")
        elif gnumakefile.is_outdated(data):
            plan.changes.append(Change(path, data, gnumakefile.whole(one.name), "as this version of innerloop writes it"))
        elif not gnumakefile.is_attached(data):
            plan.changes.append(Change(path, data, gnumakefile.attach(data), "two lines more at its top; the rest is as it was"))
    ours = [os.path.join(root, one.directory, gnumakefile.NAME) for one in chosen if one.name != gnumakefile.NAME]
    return (
        _keep_private(root, plan, ours, [one.path for one in chosen if one.name == gnumakefile.NAME])
        if private
        else _show(root, plan, ours)
    )


def _keep_private(root: str, plan: Plan, ours: "list[str]", others: "list[str]") -> Plan:
    """Keep files out of git by the checkout's own list."""
    if others:
        raise Refused(f"{others[0]} is the project's own, so our lines in it cannot be kept out of git; use --way makefile or --way hook")
    checkout = makefiles.in_checkout(root)
    if not checkout:
        raise Refused("this is no git checkout, so there is nothing to keep a file out of; use --way makefile")
    path = git_directory.exclude_file(checkout)
    before = after = look(path)
    for one in ours:
        if makefiles.is_tracked(one):
            raise Refused(f"git tracks {one}, so everybody has it already; there is nothing to do")
        pattern = _pattern(root, one)
        if not exclude.is_added(after, pattern):
            after = exclude.add(after, pattern)
    if after != before:
        plan.changes.append(Change(path, before, after, "keeps GNUmakefile out of git in this checkout, for nobody else"))
    return plan


def _show(root: str, plan: Plan, ours: "list[str]") -> Plan:
    """The files are everybody's from now on: git must see those that were private."""
    plan.changes.extend(_excluded(root, {_pattern(root, one) for one in ours}))
    return plan


def _excluded(root: str, patterns: "Optional[set[bytes]]") -> "list[Change]":
    """The change that takes patterns of ours (None: all below `root`) out of the checkout's list, or nothing."""
    checkout = makefiles.in_checkout(root)
    try:
        path = git_directory.exclude_file(checkout) if checkout else ""
    except Refused:
        return []  # where the list is not the checkout's own, nothing of ours stands in it
    before = look(path) if path else None
    if before is None:
        return []
    after: "Optional[bytes]" = before
    below = _pattern(root, os.path.join(root, gnumakefile.NAME))[: -len(gnumakefile.NAME)]
    for pattern in exclude.patterns(before):
        if (pattern.startswith(below) if patterns is None else pattern in patterns) and after is not None:
            after = exclude.remove(after, pattern)
    return [] if after == before else [Change(path, before, after, "git sees GNUmakefile again" if patterns else "as it was before")]


def _pattern(root: str, path: str) -> bytes:
    """A file as git's lists of ignored files name it, from the top of the checkout."""
    relative = os.path.relpath(os.path.realpath(os.path.dirname(path)), os.path.realpath(makefiles.in_checkout(root)))
    directory = "" if relative == "." else f"/{relative}"
    special = "\\*?[ "
    return b"/".join(
        [b"".join(b"\\" + one.encode() if one in special else os.fsencode(one) for one in directory), gnumakefile.NAME.encode()]
    )


def uninstall(root: str) -> Plan:
    """Take out everything that init wrote below a directory, known by what it looks like."""
    plan = Plan([], [], [])
    excluded = _excluded(root, None)
    for directory in makefiles.directories(root) + _private(root, excluded):
        path = os.path.join(root, directory, gnumakefile.NAME)
        try:
            _detach(path, plan)
        except Refused as refused:
            plan.left.append(str(refused))
    plan.changes.extend(excluded)
    _project_file(os.path.join(root, "innerloop.toml"), plan)
    return plan


def _private(root: str, excluded: "list[Change]") -> "list[str]":
    """Directories of private files that no listing shows any more, as where the Makefile itself is gone."""
    known = set(makefiles.directories(root))
    top = makefiles.in_checkout(root)
    found = []
    for change in excluded:
        for pattern in exclude.patterns(change.before or b""):
            directory = os.path.relpath(os.path.join(top, os.fsdecode(os.path.dirname(pattern)).lstrip("/").replace("\\", "")), root)
            directory = "" if directory == "." else directory
            if directory not in known and not directory.startswith("..") and makefiles.is_within(root, directory):
                found.append(directory)
    return found


def _detach(path: str, plan: Plan) -> None:
    data = look(path) if os.path.isfile(path) else None
    if data is None or not (gnumakefile.is_attached(data) or gnumakefile.is_edited(data)):
        return
    found = gnumakefile.detach(data)
    if found.edited:
        plan.left.append(f"{path}: {found.remark}")
    elif found.remark:
        plan.remarks.append(f"{path}: {found.remark}")
    if found.after != data:
        about = "it was innerloop's" if found.after is None else "without innerloop's lines"
        plan.changes.append(Change(path, data, found.after, about))


def _project_file(path: str, plan: Plan) -> None:
    data = look(path) if os.path.isfile(path) else None
    if data is None:
        return
    if template.is_unchanged(data):
        plan.changes.append(Change(path, data, None, "nobody changed it since init wrote it, but for what was to be filled in"))
    else:
        plan.remarks.append(f"{path} stays: it holds more than init wrote. Without it nothing is measured here; remove it if you want that")
