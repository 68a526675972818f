"""Environment, machine file, project file, answer, actor, terminal: what holds, in every combination. Each may only restrict.

The table below is the whole rule. It is held against the sources and against the launcher's cache in every cell,
and against real commands in every cell that differs from the plain case in one thing besides the answer.
"""

import itertools
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.client.people import Developer
from tests.client.recorder import Recorder
from tests.conftest import Installed
from tests.pairs import some

OFF, LOCAL, ON = range(3)  # the most that something allows

ENVIRONMENT: dict[str, tuple[int, dict[str, str]]] = {
    "plain": (ON, {}),
    "INNERLOOP_MODE=local": (LOCAL, {"INNERLOOP_MODE": "local"}),
    "INNERLOOP_MODE=off": (OFF, {"INNERLOOP_MODE": "off"}),
    "DO_NOT_TRACK": (OFF, {"DO_NOT_TRACK": "1"}),
    "sudo": (OFF, {"SUDO_UID": "1000"}),
}
MACHINE: dict[str, tuple[int, str | None]] = {
    "plain": (ON, None),
    "says on": (ON, 'mode = "on"\n'),
    "says local": (LOCAL, 'mode = "local"\n'),
    "says off": (OFF, 'mode = "off"\n'),
    "broken": (OFF, "mode = ["),
}
PROJECT: dict[str, tuple[int, dict[str, Any]]] = {
    "plain": (ON, {}),
    "other remotes": (LOCAL, {"remotes": ["git.example.org/other"]}),
    "counts ci": (ON, {"ci": True}),
    "other remotes, counts ci": (LOCAL, {"ci": True, "remotes": ["git.example.org/other"]}),
}
ANSWER = {"yes": (ON, "on"), "local": (LOCAL, "local"), "no": (OFF, "no"), "none": (OFF, "off"), "paused": (OFF, "paused")}
ACTOR: dict[str, dict[str, str]] = {
    "plain": {},
    "agent": {"CLAUDECODE": "1"},
    "ci": {"CI": "true"},
    "allowed ci": {"CI": "true", "INNERLOOP_CI": "1"},
}
TERMINAL = ("plain", "none")  # the plain case has one


class Cell(NamedTuple):
    """One combination."""

    answer: str
    environment: str = "plain"
    machine: str = "plain"
    project: str = "plain"
    actor: str = "plain"
    terminal: str = "plain"

    @property
    def env(self) -> dict[str, str]:
        return ENVIRONMENT[self.environment][1] | ACTOR[self.actor]


class Held(NamedTuple):
    """What holds in a cell."""

    mode: str
    recorded: bool
    asked: bool
    sent: bool


def expected(cell: Cell) -> Held:
    """The rule."""
    allowed = min(ENVIRONMENT[cell.environment][0], MACHINE[cell.machine][0], PROJECT[cell.project][0])
    answered, mode = ANSWER[cell.answer]
    if allowed == OFF:
        return Held("off", recorded=False, asked=False, sent=False)
    if cell.actor == "allowed ci" and "counts ci" in cell.project and cell.terminal == "none":
        # The job counts under nobody's answer, and without an id; but what a developer of this machine refused holds there too.
        level = min(allowed, answered if cell.answer in ("no", "local") else ON)
        return Held(("no", "local", "on")[level], recorded=level > OFF, asked=False, sent=level == ON)
    if "ci" in cell.actor:
        return Held(restricted(mode, allowed), recorded=False, asked=False, sent=False)
    level = min(allowed, answered)
    asked = cell.actor == "plain" and cell.terminal == "plain" and cell.answer in ("none", "paused")
    return Held(restricted(mode, allowed), recorded=level > OFF, asked=asked, sent=level == ON)


def restricted(mode: str, allowed: int) -> str:
    return "local" if mode == "on" and allowed == LOCAL else mode


CELLS = [Cell(*names) for names in itertools.product(ANSWER, ENVIRONMENT, MACHINE, PROJECT, ACTOR, TERMINAL)]


def test_the_rule_itself_only_ever_restricts() -> None:
    """In no cell does a restriction of environment, machine, project or actor allow what the plain case does not."""
    order = ("off", "paused", "no", "local", "on")
    for cell in CELLS:
        for name in ("environment", "machine", "project", "terminal", "actor"):
            freer = expected(cell._replace(**{name: "plain"}))
            held = expected(cell)
            if cell.actor == "allowed ci" and (name in ("actor", "terminal") or (name == "project" and "counts ci" in cell.project)):
                continue  # rules that were set on purpose, on a machine where nobody sits at a terminal or answered otherwise
            assert order.index(held.mode) <= order.index(freer.mode) or held.mode == "off", cell
            assert (held.recorded, held.asked, held.sent) <= (freer.recorded, True, freer.sent), cell
            assert held.asked <= freer.asked, cell
    assert {cell.answer for cell in CELLS if expected(cell).sent and cell.actor != "allowed ci"} == {"yes"}
    assert len(CELLS) == 4000


@pytest.fixture
def homes(hire: Callable[..., Developer]) -> dict[str, Developer]:
    """For each answer somebody who gave it, in a checkout of the same project."""
    people = {name: hire(name).project() for name in ANSWER}
    for name, developer in people.items():
        developer.git("init", "-q")
        developer.git("remote", "add", "origin", "https://git.example.org/shop")
        if name != "none":
            developer.opt_in("yes" if name == "paused" else name)
        if name == "paused":
            developer.edit(fields={"git_commit_time": True})
    return people


# Every cell, by the sources and by the launcher's cache, in one process for each machine file and terminal.
DRIVER = r"""
import json, os, shutil, sys, time
from innerloop.core.consent.resolve import Context
from innerloop.core.consent.resolve import resolve
from innerloop.core.consent.apply import cached_answer, write_cache
from innerloop.core.shared import cache
from innerloop.core.launcher.main import Request, decide

found = []
for cell in json.load(open(sys.argv[1])):
    os.chdir(cell["directory"])
    env = {key.encode(): value.encode() for key, value in cell["env"].items()}
    context = Context(env, os.getcwd(), time.time)
    shutil.rmtree(context.state + "/hot", ignore_errors=True)
    state = resolve(context)
    from_sources = cache.action_of(cached_answer(state, context), env, context.today)
    if cache.forbidden(env, context.home):
        from_sources = cache.BARE
    uncached, _ = decide(Request([b"true"]), env, context.today)
    write_cache(state, context)
    cached, _ = decide(Request([b"true"]), env, context.today)
    found.append([state.mode, from_sources, uncached, cached])
json.dump(found, open(sys.argv[2], "w"))
"""


@pytest.mark.parametrize("terminal", TERMINAL)
@pytest.mark.parametrize("machine", MACHINE)
def test_sources_and_cache_keep_to_the_rule_in_every_cell(
    homes: dict[str, Developer], installed: Installed, request: pytest.FixtureRequest, tmp_path: Path, machine: str, terminal: str
) -> None:
    cells = [cell for cell in CELLS if (cell.machine, cell.terminal) == (machine, terminal)]
    text = MACHINE[machine][1]
    words = request.getfixturevalue("machine_file")(text) if text is not None else []
    held = {}
    for project, (_, keys) in PROJECT.items():
        wanted = [cell for cell in cells if cell.project == project]
        for developer in homes.values():
            developer.edit(project={"remotes": None, "ci": None, **keys})
        tasks = [{"directory": str(homes[cell.answer].directory), "env": {**homes[cell.answer].env, **cell.env}} for cell in wanted]
        (tmp_path / "driver.py").write_text(DRIVER)
        (tmp_path / "cells.json").write_text(json.dumps(tasks))
        run = homes["yes"].at_terminal if terminal == "plain" else homes["yes"].execute
        ended = run(*words, installed.client_python, "-I", tmp_path / "driver.py", tmp_path / "cells.json", tmp_path / "found.json")
        assert ended.status == 0, ended
        held |= dict(zip(wanted, json.loads((tmp_path / "found.json").read_text()), strict=True))
    assert len(held) == len(cells) == len(CELLS) // len(MACHINE) // len(TERMINAL)
    for cell, (mode, from_sources, uncached, cached) in held.items():
        rule = expected(cell)
        does = "measure" if rule.recorded else "invite" if rule.asked else "bare"
        assert (mode, from_sources) == (rule.mode, does), cell
        assert uncached in ("resolve", "bare"), cell
        assert uncached == "resolve" or does == "bare" or terminal == "none", cell
        assert cached in ("resolve", does), f"the cache says otherwise: {cell}"


# Real commands.


def cells_near(answer: str) -> list[Cell]:
    """The plain case of an answer, and all that differ from it in one thing."""
    plain = Cell(answer)
    sides = (("environment", ENVIRONMENT), ("machine", MACHINE), ("project", PROJECT), ("actor", ACTOR), ("terminal", TERMINAL))
    near = [plain._replace(**{name: value}) for name, values in sides for value in values if value != "plain"]
    return [plain, *near, Cell(answer, project="counts ci", actor="allowed ci", terminal="none")]


def observe(cell: Cell, developer: Developer, server: Recorder, words: list[str]) -> Held:
    """Run, ask and deliver for real, under what the cell says."""
    before, sent = developer.recorded(), len(server.events)
    run = developer.at_terminal if cell.terminal == "plain" else developer.execute
    ran = run(*words, developer.command, "run", "--", "true", env=dict(cell.env))
    assert ran.status == 0
    shown = ran.text if hasattr(ran, "text") else ran.out + ran.err
    status = developer.execute(*words, developer.command, "status", "--json", env=dict(cell.env))
    recorded = developer.recorded() - before
    developer.execute(*words, developer.command, "flush", env=dict(cell.env))
    assert shown.replace("\n", "") == "" or "Look and decide: innerloop opt-in" in shown
    return Held(status.json["mode"], recorded == 1, "Look and decide" in shown, len(server.events) - sent == 1)


@pytest.mark.parametrize("answer", some(ANSWER, "yes", "no"))
def test_real_commands_keep_to_the_rule_near_the_plain_case(
    homes: dict[str, Developer], server: Recorder, request: pytest.FixtureRequest, tmp_path: Path, answer: str
) -> None:
    developer = homes[answer]
    shutil.copytree(developer.home, tmp_path / "home-before", symlinks=True)
    found = {}
    for cell in cells_near(answer):
        text = MACHINE[cell.machine][1]
        words = request.getfixturevalue("machine_file")(text) if text is not None else []
        developer.edit(project={"remotes": None, "ci": None, **PROJECT[cell.project][1]})
        found[cell] = observe(cell, developer, server, words)
        shutil.rmtree(developer.home)
        shutil.copytree(tmp_path / "home-before", developer.home, symlinks=True)
    assert {cell: expected(cell) for cell in found} == found
    assert [event for event in server.events if event["properties"]["actor"] == "ci" and "userId" in event] == []
