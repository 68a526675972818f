"""`innerloop init`: set a project up, say exactly what was written, and take it out again. Needs no consent, collects nothing."""

import argparse
import os

from innerloop.core.consent.resolve import Context
from innerloop.core.plan import names_table, remotes
from innerloop.core.plan import project as projects
from innerloop.core.shared import cache, paths
from innerloop.core.shared.names import LONGEST_NAME
from innerloop.core.shared.terminal import Failure
from innerloop.tools import output
from innerloop.tools.setup import changes, fields, makefiles, names, proposals, remarks, summary, targets, template, ways
from innerloop.tools.setup.changes import Change, Refused
from innerloop.tools.setup.container import container
from innerloop.tools.setup.makefiles import Makefile
from innerloop.tools.setup.proposals import Proposed
from innerloop.tools.setup.summary import Setup
from innerloop.tools.setup.template import Listed

MOST_NAMES = 500  # that are listed


def init(context: Context, given: argparse.Namespace) -> int:
    """Set up, or with --uninstall take out. Nothing is written with --dry-run."""
    if given.container:
        return container(context, given.json)
    root = project_root(context)
    if root == "/":
        raise Failure("the root directory is not a project; go to the project's directory first")
    try:
        if given.uninstall:
            return summary.finish_uninstall(root, ways.uninstall(root), given)
        return summary.finish(_prepare(root, given), given)
    except Refused as refused:
        raise Failure(str(refused)) from refused


def project_root(context: Context) -> str:
    """Where the project is: at its `innerloop.toml`, else at the top of the checkout, else here."""
    found = cache.find_project(context.home.uid, os.fsencode(context.directory))
    if found is not None:
        return os.path.dirname(os.fsdecode(found[0]))
    directory = os.path.realpath(context.directory)
    return makefiles.in_checkout(directory) or directory


def find_names(root: str, found: "list[Makefile]", documented: bool = False) -> "list[Listed]":
    """The names of every target that people may type, or of those with a help text; those of a subdirectory with it and a colon."""
    listed: "dict[str, Listed]" = {}
    for makefile in found:
        context = targets.find(os.path.join(root, makefile.directory), makefile.name, root)
        context = [target for target in context if target.text or not documented]
        prefix = f"{makefile.directory}:" if makefile.directory else ""
        bare = [targets.Target("make", "make without a target")] if context else []
        for target in [*context, *bare]:
            listed.setdefault(prefix + target.name, Listed(prefix + target.name, target.text, makefile.path, proposals.mark(target)))
    return [one for one in listed.values() if len(one.name) <= LONGEST_NAME]


def _prepare(root: str, given: argparse.Namespace) -> Setup:
    ignored = makefiles.ignored(root)
    found = makefiles.find(root, given.generated)
    if ignored and not given.generated and (given.update_names or given.way in ("makefile", "private")):
        found = [*ignored, *found]
    listed = find_names(root, found, given.documented)
    plan = ways.Plan([], [])
    proposed = proposals.marked(((one.name, one.mark) for one in listed[:MOST_NAMES]), proposals.groups(root, found))
    project, missing, new = _project_file(root, listed, proposed, plan, given)
    way, more = _way_in(root, found, given)
    plan = ways.Plan(plan.changes + more.changes, plan.remarks + more.remarks)
    made = ignored or [one for one in found if not one.directory and makefiles.is_generated(root, one)]
    plan.remarks.extend(remarks.remarks(root, found, made, way, given))
    return Setup(root, found, listed, way, plan, new, missing, project)


def _project_file(
    root: str, listed: "list[Listed]", proposed: Proposed, plan: ways.Plan, given: argparse.Namespace
) -> "tuple[str, list[str], list[Listed]]":
    """Plan the project file: a new one, or what is to be added to the one that is there. Returns its id, what it lacks, what it does not list."""
    path = os.path.join(root, projects.PROJECT_FILE)
    data = changes.look(path)
    if len(listed) > MOST_NAMES:
        plan.remarks.append(f"{len(listed)} names were found; the first {MOST_NAMES} are listed")
    if data is None:
        answers = fields.answers(root, given)
        content = template.text(answers, listed[:MOST_NAMES], remotes.look(root, paths.Home(dict(os.environb))).remotes, proposed)
        fields.check(content)
        grouped = f" and {output.count(len(proposed.groups), 'group')}" if proposed.groups else ""
        about = f"{output.count(len(listed[:MOST_NAMES]), 'name')}{grouped} that may leave; everything else is `other`"
        plan.changes.append(Change(path, None, content.encode(), about))
        plan.remarks.extend(remarks.proposed(proposed))
        return answers.project, answers.missing, []
    filled = fields.filled(path, data, given)
    after = filled.after if filled and filled.after else data
    new = [one for one in listed if one.name not in set(names.listed(data))]
    abouts = [filled.about] if filled else []
    more = new[: max(names_table.MOST_NAMES - len(names.listed(data)), 0)]
    if given.update_names and more:
        after = names.add(after, more)
        abouts.append(f"{output.count(len(more), 'name')} more")
    if after != data:
        plan.changes.append(Change(path, data, after, " and ".join(abouts)))
    plan.remarks.extend(remarks.lacking(proposed.lacking(names.document(after))))
    project, missing, problem = fields.state(path, after)
    plan.remarks.extend(problem)
    return project, missing, new


def _way_in(root: str, found: "list[Makefile]", given: argparse.Namespace) -> "tuple[str, ways.Plan]":
    """The way that was asked for, or one that fits; and what is to be changed for it. Raises Refused."""
    at_root = [one for one in found if not one.directory]
    chosen = found if given.all_makefiles else at_root
    if given.way != "private":  # a committed file would be in the way before the tool has made the Makefile
        chosen = [one for one in chosen if not makefiles.is_generated(root, one)]
    way = given.way or ("makefile" if chosen else "none")
    if way not in ("makefile", "private"):
        return way, ways.Plan([], [])
    if not chosen:
        ignored = "git does not track the Makefile here, so a GNUmakefile for everybody would fail where it is not made yet; use --way private, or"
        elsewhere = f" ({len(found)} in directories below: --all-makefiles takes those)" if found else ""
        raise Refused(f"{ignored if at_root else f'there is no Makefile in {root}{elsewhere}; use'} --way hook, or --way none")
    free, said = ways.attachable(root, found, chosen)
    if not free and given.way:
        raise Refused(f"{said[0]}; use --way hook")
    plan = ways.attach(root, free, way == "private") if free else ways.Plan([], [])
    return way if free else "hook", ways.Plan(plan.changes, said + plan.remarks)
