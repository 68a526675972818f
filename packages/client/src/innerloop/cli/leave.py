"""`innerloop opt-out`: works anywhere, on anything broken, and says nothing to anybody.

May import: consent, the plan, the spool, environment, files, and this package.
"""

import os
import time
from typing import Optional

from innerloop import environment, files
from innerloop.cli import dialogue, events
from innerloop.cli.terminal import Failure, say
from innerloop.consent import answer as answers
from innerloop.consent import texts
from innerloop.consent.resolve import NoProject, Resolution, State, resolve
from innerloop.consent.settle import settle
from innerloop.plan.project import ProjectError, clean
from innerloop.probe import attached
from innerloop.spool import store


def opt_out(here: State, everywhere: bool) -> int:
    """Stop measuring this project, or every project on this machine (`--all`)."""
    started = time.time_ns()
    if here.home.refusal():
        raise Failure(f"{here.home.refusal()}: nothing was agreed to here, and nothing is written here")
    try:
        state = resolve(here)
    except (NoProject, ProjectError) as error:
        _refuse_agent(here)
        return _opt_out_all(here) if everywhere else _opt_out_of_broken(here, error)
    if not state.testing:
        _refuse_agent(here)
    if not everywhere or state.answer.decision != answers.UNDECIDED:
        _opt_out_of_project(state, here, started)
    return _opt_out_all(here) if everywhere else 0


def _refuse_agent(here: State) -> None:
    if environment.by_agent(here.env):
        raise Failure("only a person can answer; a coding agent may not, neither yes nor no")


def _opt_out_of_project(state: Resolution, here: State, started: int) -> None:
    had_agreed = state.mode == answers.ON
    dialogue.opt_out_of(state.answer.path, None if state.unusable else state.answer)
    unsent = dialogue.purge_all(here, state)
    settle(resolve(here), here)
    told = had_agreed and "previous_consent" in state.agreement["fields"]
    say(texts.stopped(state.project, state.answer.path, unsent, told))
    if had_agreed:
        events.tell_opt_out(state, here, started)


def _opt_out_of_broken(here: State, error: Exception) -> int:
    """The project file cannot be read: find what was agreed to by where it was used."""
    path = _project_path(here)
    for key, about in dialogue.known(here):
        if path and path in store.roots(here.spool(key)):
            unsent = _decline_known(here, key, about)
            say(f"{about['project']} commands are no longer measured; {unsent or 0} unsent records were deleted. ({error})")
            return 0
    raise Failure(f"{error}; to stop measuring every project on this machine: innerloop opt-out --all")


def _project_path(here: State) -> str:
    directory = os.path.realpath(here.directory)
    while not os.path.isfile(f"{directory}/innerloop.toml"):
        parent = os.path.dirname(directory)
        if parent == directory:
            return ""
        directory = parent
    return os.path.join(directory, "innerloop.toml")


def _decline_known(here: State, key: str, about: "dict[str, str]") -> Optional[int]:
    """Write a no; returns how many unsent runs were deleted, or None where it was a no already and nothing was left."""
    path = answers.place(about["consent"], here.home)
    try:
        before = answers.load(path)
    except files.UnusableFile:
        before = None
    already = before is not None and before.decision == answers.NO
    if not already:
        dialogue.opt_out_of(path, before)
    unsent = dialogue.purge(here, key)
    return unsent if unsent or not already else None


def _opt_out_all(here: State) -> int:
    """Stop every project of this machine, also those whose project file is gone."""
    stopped, elsewhere = 0, ""
    names: "list[str]" = []
    for key, about in dialogue.known(here):
        try:
            if _decline_known(here, key, about) is not None:
                stopped += 1
                names.append(clean(about["project"]))
        except ProjectError as error:  # a container without the answer of a seed project
            elsewhere = f"{about['project']} is still measured: {error}"
    for path in _answers_without_spool(here):
        try:
            before = answers.load(path)
        except files.UnusableFile:
            before = None
        if before is None or before.decision in (answers.ON, answers.LOCAL):
            dialogue.opt_out_of(path, before)
            stopped += 1
    if os.path.isdir(f"{here.state}/hot"):
        for name in os.listdir(f"{here.state}/hot"):
            files.remove(f"{here.state}/hot/{name}")
    files.remove(f"{here.state}/enabled")
    attached.remove(here.state)
    if elsewhere:
        raise Failure(elsewhere)
    which = f" ({', '.join(names)})" if names else ""
    say(f"{stopped} project{' is' if stopped == 1 else 's are'} no longer measured{which}." if stopped else "No project was measured here.")
    return 0


def _answers_without_spool(here: State) -> "list[str]":
    if not os.path.isdir(here.config):
        return []
    return sorted(f"{here.config}/{name}" for name in os.listdir(here.config) if name.endswith(".json"))
