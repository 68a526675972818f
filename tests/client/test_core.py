"""What runs without being asked lies in `core`: one module reaches the network, one writes what will leave, and three read the clock."""

import ast
import re
from collections.abc import Iterator

import pytest

from tests.client.people import ANSWER_PROMPT, Developer
from tests.conftest import ROOT, Installed

SOURCE = ROOT / "packages" / "client" / "src" / "innerloop"
NETWORK = {
    "_socket",
    "_ssl",
    "asyncio",
    "ftplib",
    "http",
    "imaplib",
    "poplib",
    "smtplib",
    "socket",
    "socketserver",
    "ssl",
    "urllib.request",
    "xmlrpc",
}
CLOCK = {"clock_gettime", "clock_gettime_ns", "ctime", "gmtime", "localtime", "now", "time", "time_ns", "today", "utcnow"}
OUTSIDE_CORE = {"innerloop", "innerloop.core", "innerloop.fallback"}  # `start` is what is run


@pytest.fixture
def imported(developer: Developer, installed: Installed) -> "Imported":
    return Imported(developer, installed)


class Imported:
    """The modules that a command of a developer's loads, to its end, as Python itself tells them."""

    def __init__(self, developer: Developer, installed: Installed) -> None:
        self.developer = developer
        self.start = next(installed.directory.glob("client/lib/python3*/site-packages/innerloop/start.py"))
        self.python = [str(installed.client_python), "-I", "-S", "-X", "importtime", str(self.start)]

    def at_terminal(self, *words: str, types: list[tuple[str, str]] | None = None) -> set[str]:
        return self._modules(self.developer.at_terminal(*self.python, *words, types=types or []).text)

    def in_a_shell(self, *words: str) -> set[str]:
        """`$$` is the shell, which ends: what attaches to it does not stay."""
        return self._modules(self.developer.execute("sh", "-c", " ".join([*self.python, *words]) + "; :").err)

    def __call__(self, *words: str) -> set[str]:
        return self._modules(self.developer.execute(*self.python, *words).err)

    @staticmethod
    def _modules(text: str) -> set[str]:
        found = set(re.findall(r"import time: *\d+ \| *\d+ \| *(\S+)", text))
        assert "innerloop.core" in found, text
        return found


def outside_core(modules: set[str]) -> set[str]:
    return {name for name in modules if name.partition(".")[0] == "innerloop" and not name.startswith("innerloop.core.")} - OUTSIDE_CORE


def network(modules: set[str]) -> set[str]:
    return {name for name in modules if is_network(name) or name == "innerloop.core.outbound.connection"}


def test_a_measured_command_loads_nothing_but_core(developer: Developer, imported: Imported) -> None:
    developer.opt_in("yes")
    for words in (["run", "--", "true"], ["run", "--", "make", "test"], ["wrap", "test"], ["attach", "$$", "test"]):
        loaded = imported.in_a_shell(*words)
        assert outside_core(loaded) == set()
        assert not {name for name in loaded if name.startswith(("innerloop.core.outbound", "innerloop.core.asking", "socket", "ssl"))}


def test_an_invitation_loads_nothing_but_core_and_no_network(imported: Imported) -> None:
    loaded = imported.at_terminal("run", "--", "true")

    assert "innerloop.core.asking.invitation" in loaded
    assert (set(), set()) == (outside_core(loaded), network(loaded))


def test_the_sender_loads_nothing_but_core_and_asks_nobody(developer: Developer, imported: Imported) -> None:
    developer.opt_in("yes")
    developer.run("true")
    loaded = imported("deliver")

    assert "innerloop.core.outbound.sender" in loaded
    assert outside_core(loaded) == set()
    assert {"innerloop.core.outbound.connection", "socket", "http.client"} <= network(loaded)  # before it acts as a mount's owner


@pytest.mark.parametrize("answer", ["yes", "no", "local", "?", ""])
def test_opting_in_loads_nothing_but_core_and_no_network(answer: str, imported: Imported) -> None:
    types = [(ANSWER_PROMPT, answer), *([(ANSWER_PROMPT, "no")] if answer == "?" else [])]
    loaded = imported.at_terminal("opt-in", types=types)

    assert (set(), set()) == (outside_core(loaded), network(loaded))


@pytest.mark.parametrize("words", [["opt-out"], ["opt-out", "--all"]])
def test_opting_out_loads_nothing_but_core(words: list[str], developer: Developer, imported: Imported) -> None:
    developer.opt_in("yes")

    assert outside_core(imported(*words)) == set()


def test_a_convenience_is_noticed_and_loads_no_network_where_it_asks_nobody(imported: Imported) -> None:
    for words, module in (
        ("status", "diagnosis.status"),
        ("doctor", "diagnosis.doctor"),
        ("report", "report"),
        ("init --dry-run", "setup.init"),
    ):
        loaded = imported(*words.split())
        assert {"innerloop.tools.main", f"innerloop.tools.{module}"} <= outside_core(loaded)
        assert network(loaded) == set()


def trees() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(SOURCE.rglob("*.py")):
        yield str(path.relative_to(SOURCE)), ast.parse(path.read_text(encoding="utf-8"))


def imports(tree: ast.AST) -> set[str]:
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def is_network(module: str) -> bool:
    return any(module == one or module.startswith(f"{one}.") for one in NETWORK)


def test_one_module_can_open_a_socket() -> None:
    assert ["core/outbound/connection.py"] == [name for name, tree in trees() if any(map(is_network, imports(tree)))]
    assert any(map(is_network, imports(ast.parse("import http.client"))))
    assert any(map(is_network, imports(ast.parse("from urllib import request"))))
    assert not any(map(is_network, imports(ast.parse("from urllib.parse import urlsplit\nimport innerloop.http"))))


def test_one_module_uses_it_and_few_use_that() -> None:
    assert ["core/outbound/http_client.py"] == [name for name, tree in trees() if "innerloop.core.outbound.connection" in imports(tree)]
    asking = {name for name, tree in trees() if "innerloop.core.outbound.http_client" in imports(tree)}
    assert asking == {
        "core/asking/opt_out.py",  # one attempt to say that somebody left, where the question announced it
        "core/outbound/erasure.py", "core/outbound/sender.py",
        "tools/disclosure/show.py", "tools/disclosure/stored.py", "tools/forget.py",
    }  # fmt: skip


def test_one_module_starts_a_process_that_opens_a_socket() -> None:
    """The sender is the only one: git may use no protocol, and make's version needs none."""
    starting = [
        name for name, tree in trees() if any(isinstance(node, ast.Constant) and node.value == b"deliver" for node in ast.walk(tree))
    ]
    assert ["core/launcher/record.py"] == starting


def test_one_module_makes_and_writes_what_will_leave() -> None:
    """Events are built, and their bytes chosen, in one file; whoever sends only reads them."""
    building = [name for name, tree in trees() if "innerloop.core.outbound.event.build" in imports(tree) or built(tree)]
    assert ["core/outbound/seal.py"] == building
    writing = [
        name
        for name, tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr.startswith(("write", "append"))
        if "/sealed/" in ast.unparse(node)
    ]
    assert ["core/outbound/seal.py"] == writing
    assert built(ast.parse("from innerloop.core.outbound import event\nevent.build('run')"))


def built(tree: ast.AST) -> bool:
    return any(
        isinstance(node, ast.Attribute) and node.attr == "build" and isinstance(node.value, ast.Name) and node.value.id == "event"
        for node in ast.walk(tree)
    )


def clocks(tree: ast.AST) -> set[str]:
    """The names under which a module reads the clock, or hands it on. That of how long to wait (`monotonic`) says nothing about the date."""
    read = {ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute) and node.attr in CLOCK}
    taken = {name for name in imports(tree) if re.fullmatch(rf"(time|datetime)\.({'|'.join(CLOCK)})", name)}
    aliases = {
        alias.name for node in ast.walk(tree) if isinstance(node, (ast.Import, ast.ImportFrom)) for alias in node.names if alias.asname
    }
    return {name for name in read if re.match(r"(time|date|datetime)\.", name)} | taken | (aliases & {"time", "date", "datetime"})


def test_the_clock_is_read_at_the_border_and_passed_in() -> None:
    """By each command once, by the launcher, and by what measures a run; a time of a file or record is turned into words by whoever shows it."""
    assert {name: read for name, tree in trees() if (read := clocks(tree))} == {
        "core/main.py": {"time.time"},
        "core/launcher/main.py": {"time.time"},
        "core/launcher/measure.py": {"time.time", "time.time_ns", "time.clock_gettime_ns"},
        "tools/timeline/command.py": {"time.localtime"},  # of a run's start
        "tools/timeline/document.py": {"time.gmtime"},
    }
    for code in (
        "import time\ntime.time()",
        "from datetime import datetime\ndatetime.now()",
        "import datetime\ndatetime.date.today()",
        "from time import time",
        "import time as clock\nclock.time()",
    ):
        assert clocks(ast.parse(code)), code
    assert not clocks(ast.parse("import time\ntime.monotonic(); time.sleep(1); context.now(); context.today"))
