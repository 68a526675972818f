"""What a project file must say before it can be used: from the command line, or from a person at a terminal."""

import argparse
import os
import re
from typing import Optional

from innerloop.core.plan import project as projects
from innerloop.core.plan import project_file, project_reader, toml
from innerloop.core.shared import cache, terminal
from innerloop.core.shared.terminal import Failure
from innerloop.tools.setup import fill, names, template
from innerloop.tools.setup.changes import Change, Refused
from innerloop.tools.setup.template import Answers

QUESTIONS = {
    "project": "Project id (a-z 0-9 . _ -) [{default}]: ",
    "organisation": "Who asks, as developers will read it (organisation): ",
    "endpoint": "Address of the collector (https://...): ",
    "write_key": "Write key (Enter: later; the collector makes one once it knows the project): ",
}


def answers(root: str, given: argparse.Namespace) -> Answers:
    """What a new file must say, from the command line or from a person at a terminal."""
    default = template.word(os.path.basename(root))
    known = {key: getattr(given, key) or "" for key in QUESTIONS}
    asked = cache.at_terminal() and not given.json
    for key, question in QUESTIONS.items():
        if not known[key] and asked:
            known[key] = _asked(key, question.format(default=default))
    project = known["project"] or default
    return Answers(**{**known, "project": project, "write_key": known["write_key"] or f"{project}.{projects.PLACEHOLDER}"})


def _good(key: str, value: str) -> None:
    """Raise ProjectError where a value cannot stand in a project file."""
    good = {"id": "x", "organisation": "x", "endpoint": "https://x", "write_key": "x.y"}
    project_reader.read({"project": {**good, "id" if key == "project" else key: value}})


def _asked(key: str, question: str) -> str:
    """Ask until the answer is empty, or can stand in a project file."""
    while answer := terminal.ask(question):
        try:
            _good(key, answer)
        except projects.ProjectError as error:
            terminal.complain(error)
        else:
            return answer
    return ""


def filled(path: str, data: bytes, given: argparse.Namespace) -> Optional[Change]:
    """The change that fills in, from the command line, what an earlier init left blank. Raises Refused or ProjectError."""
    document = names.document(data)
    table = document.get("project")
    table = table if isinstance(table, dict) else {}
    missing = project_reader.missing(document)
    values: "dict[str, str]" = {}
    for key in QUESTIONS:
        value, there = getattr(given, key) or "", table.get("id" if key == "project" else key, "")
        if value and value != there:
            if key not in missing:
                raise Refused(
                    f"innerloop.toml says already {template.quoted(str(there))} where --{key.replace('_', '-')} says another; edit it"
                )
            _good(key, value)
            values[key] = value
    return Change(path, data, fill.fill(data, values), f"{' and '.join(values)} filled in") if values else None


def check(content: str) -> None:
    """A file that says everything must be good; else a wrong flag would be noticed by the first developer."""
    filled = re.sub(r'^organisation = ""', 'organisation = "x"', content, flags=re.MULTILINE)
    filled = re.sub(r'^endpoint = ""', 'endpoint = "https://x"', filled, flags=re.MULTILINE)
    try:
        project_reader.read(toml.loads(filled), key_needed=False)
    except ValueError as error:  # TomlError and ProjectError
        raise Failure(f"nothing was written: {error}") from error


def state(path: str, data: bytes) -> "tuple[str, list[str], list[str]]":
    """The id in a project file that is there, what is to be filled in, and what else is wrong with it."""
    document = names.document(data)
    missing = project_reader.missing(document)
    try:
        return project_file.load(path).project.id, missing, []
    except projects.ProjectError as error:
        table = document.get("project")
        project = table.get("id") if isinstance(table, dict) else ""
        reason = str(error).rpartition(f"{path}: ")[2]
        return (project if isinstance(project, str) else ""), missing, [] if missing else [f"innerloop.toml cannot be used: {reason}"]
