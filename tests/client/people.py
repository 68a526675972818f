"""Developers in the tests: each has a home, a project and a terminal, and uses innerloop as it was installed."""

import json
import os
import re
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pexpect

from tests.needs import need

PATIENCE = 30  # s until something counts as hanging


ANSWER_PROMPT = r"Your answer \(Enter: [^)]*\): "


DAY = 86400  # s


ID = 32  # bytes of a run in a journal


MAKEFILE = """\
.PHONY: test build fail slow touch-it
test build:
	@true
fail:
	@exit 3
touch-it:
	@touch touched
slow:
	@sleep 0.6
"""


class Ended(NamedTuple):
    """How a command ended and what it printed."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Said(NamedTuple):
    """How a command at a terminal ended (negative: by a signal) and what the terminal showed."""

    status: int
    text: str


def toml(document: dict[str, Any]) -> str:
    """Write a project file; None leaves a key out."""
    lines = []
    for title, table in document.items():
        for one in table if isinstance(table, list) else [table]:
            lines.append(f"[[{title}]]" if isinstance(table, list) else f"[{title}]")
            lines += [f"{key} = {_value(value)}" for key, value in one.items() if value is not None]
    return "\n".join(lines) + "\n"


def _value(value: Any) -> str:
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_value, value)) + "]"
    return json.dumps(value)


def eventually(condition: Callable[[], Any], seconds: float = PATIENCE) -> bool:
    """Wait until something is so; tell whether it ever was."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if condition():
            return True
        time.sleep(0.02)
    return bool(condition())


class Developer:
    """A person with a home of their own, standing in the directory of a project."""

    def __init__(self, innerloop: Path, base: Path, endpoint: str) -> None:
        self.command = innerloop
        self.base = base
        self.home = base / "home"
        self.home.mkdir(parents=True)
        self.endpoint = endpoint
        self.directory = base
        self.tables: dict[str, Any] = {}
        path = f"{innerloop.parent}:/usr/local/bin:/usr/bin:/bin"
        self.env = {"HOME": str(self.home), "PATH": path, "LANG": "C.UTF-8", "TERM": "xterm", "USER": "developer"}
        self.env |= {"INNERLOOP_PROBE": "off"}  # so that a run is one event; tests of targets take it away

    # the project

    def project(self, name: str = "shop", directory: str = "", **tables: Any) -> "Developer":
        """Stand in a new checkout of a project. Keys of tables replace those of the usual file."""
        self.directory = self.base / (directory or name)
        self.directory.mkdir(parents=True)
        (self.directory / "Makefile").write_text(MAKEFILE)
        self.tables = {
            "project": {
                "id": "shop", "name": "shop", "organisation": "Example Org", "endpoint": self.endpoint, "write_key": "shop.first",
                "region": "EU", "contact": "ask@example.org",
            },
            "names": {"allow": ["test", "build", "fail", "slow", "touch-it", "true"]},
        }  # fmt: skip
        return self.edit(**tables)

    def edit(self, **tables: Any) -> "Developer":
        """Change the project file, as a `git pull` does: a new file in the place of the old one."""
        for name, table in tables.items():
            self.tables[name] = table if isinstance(table, list) else {**self.tables.get(name, {}), **table}
        return self.write(toml(self.tables))

    def write(self, text: str | bytes) -> "Developer":
        """Replace the project file's content, whatever it is."""
        new = self.directory / "innerloop.toml.new"
        new.write_bytes(text if isinstance(text, bytes) else text.encode())
        new.replace(self.project_file)
        return self

    @property
    def project_file(self) -> Path:
        return self.directory / "innerloop.toml"

    def git(self, *words: str, **env: str) -> str:
        """Run git in the project, with an author and nothing of this machine's configuration."""
        author = {f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER") for what, value in (("NAME", "d"), ("EMAIL", "d@d"))}
        done = subprocess.run(
            ["git", *words], cwd=self.directory, env=self.env | author | {"GIT_CONFIG_NOSYSTEM": "1"} | env,
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        return done.stdout.strip()

    # commands

    def execute(
        self, *argv: str | bytes | Path, stdin: str | None = None, env: dict[str, str | None] | None = None, **options: Any
    ) -> Ended:
        """Run a command without a terminal, to its end."""
        chosen: dict[str, Any] = {
            "cwd": self.directory,
            "env": self.environment(env),
            "timeout": PATIENCE,
            "start_new_session": True,
        } | options
        chosen |= {"stdin": subprocess.DEVNULL} if stdin is None else {"input": stdin.encode()}
        done = subprocess.run(argv, capture_output=True, check=False, **chosen)
        return Ended(done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace"))

    def environment(self, extra: dict[str, str | None] | None = None) -> dict[str, str]:
        """This developer's environment; a value of None takes a variable away."""
        return {key: value for key, value in {**self.env, **(extra or {})}.items() if value is not None}

    def innerloop(self, *words: str, **options: Any) -> Ended:
        """Run a command of innerloop without a terminal."""
        return self.execute(self.command, *words, **options)

    def run(self, *command: str | bytes, name: str = "", **options: Any) -> Ended:
        """Run a command through `innerloop run`, without a terminal."""
        named = ("--name", name) if name else ()
        return self.execute(self.command, "run", *named, "--", *command, **options)

    def start(self, *argv: str | bytes | Path, env: dict[str, str | None] | None = None) -> "subprocess.Popen[bytes]":
        """Start a command without waiting for it."""
        return subprocess.Popen(
            argv,
            cwd=self.directory,
            env=self.environment(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def spawn(self, *argv: str | Path, env: dict[str, str | None] | None = None) -> "pexpect.spawn[str]":
        """Start a command at a terminal of its own."""
        first, *rest = map(str, argv)
        return pexpect.spawn(
            first, rest, cwd=str(self.directory), env=self.environment(env), encoding="utf-8", timeout=PATIENCE, dimensions=(50, 200)
        )  # fmt: skip

    def at_terminal(self, *argv: str | Path, types: Sequence[tuple[str, str]] = (), env: dict[str, str | None] | None = None) -> Said:
        """Run a command at a terminal; `types` says after which text what is typed (^C, ^D, or a line)."""
        child: Any = self.spawn(*argv, env=env)
        child.delaybeforesend = None
        child.ptyproc.delayafterclose = 0
        shown = ""
        for after, words in types:
            child.expect(after)
            shown += child.before + child.after
            if words in ("^C", "^D"):
                child.sendcontrol(words[1].lower())
            else:
                child.sendline(words)
        child.expect(pexpect.EOF)
        shown += child.before
        child.wait()
        child.close()
        status = child.exitstatus if child.signalstatus is None else -child.signalstatus
        return Said(int(status), shown.replace("\r\n", "\n"))

    def run_at_terminal(self, *command: str, types: Sequence[tuple[str, str]] = (), env: dict[str, str | None] | None = None) -> Said:
        """Run a command through `innerloop run`, at a terminal."""
        return self.at_terminal(self.command, "run", "--", *command, types=types, env=env)

    def opt_in(self, *answers: str, env: dict[str, str | None] | None = None, local: bool = False) -> Said:
        """Look at the question at a terminal and answer it."""
        words = ["--local"] if local else []
        prompt = "Type yes: " if local else ANSWER_PROMPT
        return self.at_terminal(self.command, "opt-in", *words, types=[(prompt, answer) for answer in answers], env=env)

    def opt_out(self, *words: str, **options: Any) -> Ended:
        return self.innerloop("opt-out", *words, **options)

    # what is there

    @property
    def state(self) -> Path:
        return self.home / ".local" / "state" / "innerloop"

    @property
    def config(self) -> Path:
        return self.home / ".config" / "innerloop"

    @property
    def spool(self) -> Path:
        """The one spool of this developer."""
        (only,) = (self.state / "spool").iterdir()
        return only

    @property
    def hot_file(self) -> Path:
        status = self.project_file.stat()
        return self.state / "hot" / f"{status.st_dev}-{status.st_ino}"

    @property
    def consent_file(self) -> Path:
        (only,) = self.config.glob("*.json")
        return only

    @property
    def consent(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.consent_file.read_text())["consent"]
        return document

    def files(self) -> dict[str, bytes]:
        """Every file under HOME with its bytes."""
        found = (path for path in self.home.rglob("*") if path.is_file() and not path.is_symlink())
        return {str(path.relative_to(self.home)): path.read_bytes() for path in found}

    def place(self, name: str) -> list[Path]:
        """The runs in one place of the spool: run, new, sealed, sent, quarantine."""
        return sorted(path for path in (self.spool / name).iterdir() if len(path.name) == 36)

    def recorded(self) -> int:
        """How many runs were recorded in all spools, finished or not."""
        journals = self.state.glob("spool/*/recorded")
        return sum(journal.stat().st_size // ID for journal in journals)

    def status(self, **options: Any) -> dict[str, Any]:
        done = self.innerloop("status", "--json", **options)
        assert done.status == 0, done
        document: dict[str, Any] = done.json
        return document

    def ledger(self) -> dict[str, Any]:
        """The ledger; it must always add up, by the developer's own arithmetic too."""
        done = self.innerloop("doctor", "--json")
        ledger: dict[str, Any] = done.json["ledger"]
        parts = ("acknowledged", "queued", "quarantined", "local", "unfinished")
        total = sum(ledger[part] for part in parts) + sum(ledger["dropped"].values())
        assert (ledger["adds_up"], ledger["missing"], total) == (True, 0, ledger["recorded"]), ledger
        assert done.status == 0
        return ledger

    def pending(self) -> list[dict[str, Any]]:
        events: list[dict[str, Any]] = self.innerloop("show", "pending", "--json").json
        return events

    def flush(self, *words: str, **options: Any) -> Ended:
        return self.innerloop("flush", *words, **options)

    def pretend_sealed(self, count: int) -> None:
        """As if many more runs had been recorded and sealed: copies of one under other ids."""
        sealed = self.place("sealed")[0]
        text = sealed.read_text()
        at = text.index('"messageId":"') + len('"messageId":"')
        for number in range(count):
            run = f"{number:08x}-0000-4000-8000-000000000000"
            (sealed.parent / run).write_text(f"{text[:at]}{number:08x}{text[at + 8 :]}")
            with (self.spool / "recorded").open("a") as journal:
                journal.write(run.replace("-", ""))

    # time

    def make_delivery_due(self) -> None:
        """As if the time of the next delivery had come."""
        os.utime(self.spool / "next", (0, 0))

    def let_releases_pass(self) -> None:
        """As if every sealed run had waited long enough."""
        for path in self.place("sealed"):
            text = re.sub(rb'"release": [0-9.]+', b'"release": 1.0', path.read_bytes(), count=1)
            path.write_bytes(text)

    def age_orphans(self, seconds: float = 120) -> None:
        """As if every unfinished record had been written a while ago."""
        then = time.time() - seconds
        for path in self.place("run"):
            os.utime(path, (then, then))

    def strace(
        self, *argv: str | Path, types: Sequence[tuple[str, str]] = (), terminal: bool = True, **options: Any
    ) -> tuple[Said | Ended, str]:
        """Run a command under strace; return how it ended, and its calls of network and exec."""
        found = need("strace")
        trace = self.base / "trace"
        words = [found, "-f", "-qq", "-o", str(trace), "-e", "trace=%network,execve", *map(str, argv)]
        ended = self.at_terminal(*words, types=types, **options) if terminal else self.execute(*words, **options)
        return ended, trace.read_text()


def backoff(developer: Developer) -> float:
    """How long delivery waits (s), as the launcher sees it."""
    return (developer.spool / "next").stat().st_mtime - time.time()


def nothing_is_kept_about(developer: Developer, *allowed: str) -> None:
    """No id on disk, no spool; of files at most those two that hold no id: when somebody was asked, and the cache of that."""
    files = developer.files()
    assert not [name for name in files if "spool" in name]
    for name, data in files.items():
        assert name.startswith((".local/state/innerloop/asked", ".local/state/innerloop/hot/", *allowed)), name
        assert b"anonymous_user_id" not in data
    assert len(files) <= 2 + len(allowed)


def invited(developer: Developer) -> bool:
    """Whether somebody is invited now, by the launcher's cache and by the sources alike; that it happened is not kept."""
    asked = developer.state / "asked"
    before = asked.read_bytes() if asked.exists() else b""
    found = []
    for cached in (True, False):
        if not cached:
            developer.hot_file.unlink(missing_ok=True)
        developer.run("true")  # makes the cache where there is none, and has no terminal to invite at
        found.append("Look and decide: innerloop opt-in" in developer.run_at_terminal("true").text)
        asked.write_bytes(before)
        developer.hot_file.unlink(missing_ok=True)
    assert found[0] == found[1], "the launcher's cache knows another rule than the sources"
    return found[0]
