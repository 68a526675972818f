"""`innerloop init`: set a project up, say exactly what was written, and take it out again. Needs no consent, collects nothing.

May import: setup, the project file, remotes, the launcher's way to find a project, and this package.
"""

import argparse
import os
import re

from innerloop import places, projectfile, remotes, toml
from innerloop.cli import terminal, written
from innerloop.cli.container import container
from innerloop.cli.terminal import Failure
from innerloop.cli.written import Setup
from innerloop.consent.resolve import State
from innerloop.launcher import hot
from innerloop.plan import project as projects
from innerloop.setup import changes, gnumakefile, makefiles, names, targets, template, ways
from innerloop.setup.changes import Change, Refused
from innerloop.setup.makefiles import Makefile
from innerloop.setup.template import Answers, Listed

MOST_NAMES = 500
QUESTIONS = {
    "project": "Project id (a-z 0-9 . _ -) [{default}]: ",
    "organisation": "Who asks, as developers will read it (organisation): ",
    "endpoint": "Address of the collector (https://...): ",
    "write_key": "Write key (Enter: later; the collector makes one once it knows the project): ",
}


def init(here: State, given: argparse.Namespace) -> int:
    """Set up, or with --uninstall take out. Nothing is written with --dry-run."""
    if given.container:
        return container(here, given.json)
    root = project_root(here)
    if root == "/":
        raise Failure("the root directory is no project; go to the project's directory first")
    try:
        if given.uninstall:
            return written.finish_uninstall(root, ways.uninstall(root), given)
        return written.finish(_prepare(root, given), given)
    except Refused as refused:
        raise Failure(str(refused)) from refused


def project_root(here: State) -> str:
    """Where the project is: at its `innerloop.toml`, else at the top of the checkout, else here."""
    found = hot.find_project(here.home.uid)
    if found is not None:
        return os.path.dirname(os.fsdecode(found[0]))
    directory = os.path.realpath(here.directory)
    return makefiles.in_checkout(directory) or directory


def find_names(root: str, found: "list[Makefile]", documented: bool = False) -> "list[Listed]":
    """The names of every target that people may type, or of those with a help text; those of a subdirectory with it and a colon."""
    listed: "dict[str, Listed]" = {}
    for makefile in found:
        here = targets.find(os.path.join(root, makefile.directory), makefile.name, root)
        here = [target for target in here if target.text or not documented]
        prefix = f"{makefile.directory}:" if makefile.directory else ""
        bare = [targets.Target("make", "make without a target")] if here else []
        for target in [*here, *bare]:
            listed.setdefault(prefix + target.name, Listed(prefix + target.name, target.text, makefile.path))
    return list(listed.values())


def _prepare(root: str, given: argparse.Namespace) -> Setup:
    found = makefiles.find(root)
    listed = find_names(root, found, given.documented)
    path = os.path.join(root, projects.PROJECT_FILE)
    data = changes.look(path)
    plan = ways.Plan([], [])
    new: "list[Listed]" = []
    if data is None:
        answers = _answers(root, given)
        project, missing = answers.project, answers.missing
        content = template.text(answers, listed[:MOST_NAMES], remotes.look(root, places.Home(dict(os.environb))).remotes)
        _check(content)
        plan.changes.append(
            Change(
                path,
                None,
                content.encode(),
                f"{terminal.count(len(listed[:MOST_NAMES]), 'name')} that may leave; everything else is `other`",
            )
        )
    else:
        known = set(names.listed(data))
        new = [one for one in listed if one.name not in known]
        if given.update_names and new:
            plan.changes.append(Change(path, data, names.add(data, new), f"{terminal.count(len(new), 'name')} more"))
        project, missing, problem = _state(path, data)
        plan.remarks.extend(problem)
    at_root = [one for one in found if not one.directory]
    way = given.way or ("makefile" if at_root or (found and given.all_makefiles) else "none")
    if way in ("makefile", "private"):
        chosen = found if given.all_makefiles else at_root
        if not chosen:
            raise Refused(f"there is no Makefile in {root}{_elsewhere(found)}; use --way hook, or --way none")
        more = ways.attach(root, chosen, way == "private")
        plan = ways.Plan(plan.changes + more.changes, plan.remarks + more.remarks)
    plan.remarks.extend(_remarks(root, found, listed, way, given))
    return Setup(root, found, listed, way, plan, new, missing, project)


def _elsewhere(found: "list[Makefile]") -> str:
    return f" ({len(found)} in directories below: --all-makefiles takes those)" if found else ""


def _remarks(root: str, found: "list[Makefile]", listed: "list[Listed]", way: str, given: argparse.Namespace) -> "list[str]":
    """What a person would otherwise find out later."""
    remarks = []
    below = [one for one in found if one.directory]
    at_root = len(found) > len(below)
    own = os.path.join(root, gnumakefile.NAME)
    gone = gnumakefile.gone(root, changes.look(own)) if os.path.isfile(own) and not os.path.islink(own) else ""
    if gone:
        remarks.append(gone)
    elif not at_root and any(os.path.isfile(os.path.join(root, name)) for name in makefiles.NAMES):
        remarks.append("git ignores the Makefile here, so it is made by a tool: no GNUmakefile was put beside it. Take --way hook")
    elif not found:
        remarks.append("no Makefile was found: measure any command by `innerloop run -- COMMAND`, and list what may leave under [names]")
    if makefiles.is_unconfigured(root):
        remarks.append(
            "a tool makes the Makefile here and has not yet: run it first (configure, cmake), then `innerloop init --update-names`"
        )
    if not makefiles.in_checkout(root):
        remarks.append("this is not a git repository: Makefiles were looked for here and one directory below")
    if way in ("makefile", "private") and below and not given.all_makefiles:
        remarks.append(
            f"{terminal.count(len(below), 'directory', 'directories')} below with a Makefile too: `make -C` there is seen with --all-makefiles, or the shell hook"
        )
    if any(targets.passes_goals_on(os.path.join(root, one.directory), one.name, root) for one in found if not one.directory):
        remarks.append("the Makefile passes goals on that it has no rule for (.DEFAULT or %): add those that people type here by hand")
    if len(listed) > MOST_NAMES:
        remarks.append(f"{len(listed)} names were found; the first {MOST_NAMES} are listed")
    return remarks


def _answers(root: str, given: argparse.Namespace) -> Answers:
    """What the file must say, from the command line or from a person at a terminal."""
    default = template.word(os.path.basename(root))
    known = {key: getattr(given, key) or "" for key in QUESTIONS}
    asked = terminal.at_terminal() and not given.json
    for key, question in QUESTIONS.items():
        if not known[key] and asked:
            known[key] = _asked(key, question.format(default=default))
    project = known["project"] or default
    return Answers(**{**known, "project": project, "write_key": known["write_key"] or f"{project}.{projects.PLACEHOLDER}"})


def _asked(key: str, question: str) -> str:
    """Ask until the answer is empty, or can stand in a project file."""
    good = {"id": "x", "organisation": "x", "endpoint": "https://x", "write_key": "x.y"}
    while answer := terminal.ask(question):
        try:
            projects.read({"project": {**good, "id" if key == "project" else key: answer}})
        except projects.ProjectError as error:
            terminal.say(f"innerloop: {error}")
        else:
            return answer
    return ""


def _check(content: str) -> None:
    """A file that says everything must be good; else a wrong flag would be noticed by the first developer."""
    filled = re.sub(r'^organisation = ""', 'organisation = "x"', content, flags=re.MULTILINE)
    filled = re.sub(r'^endpoint = ""', 'endpoint = "https://x"', filled, flags=re.MULTILINE)
    try:
        projects.read(toml.loads(filled), key_needed=False)
    except ValueError as error:  # TomlError and ProjectError
        raise Failure(f"nothing was written: {error}") from error


def _state(path: str, data: bytes) -> "tuple[str, list[str], list[str]]":
    """The id in a project file that is there, what is to be filled in, and what else is wrong with it."""
    document = names.document(data)
    missing = projects.missing(document)
    try:
        return projectfile.load(path).project.id, missing, []
    except projects.ProjectError as error:
        table = document.get("project")
        project = table.get("id") if isinstance(table, dict) else ""
        reason = str(error).rpartition(f"{path}: ")[2]
        return (project if isinstance(project, str) else ""), missing, [] if missing else [f"innerloop.toml cannot be used: {reason}"]
