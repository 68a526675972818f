"""Nothing in the client prints but through the one function that lets no text steer a terminal."""

import ast
from pathlib import Path

import pytest

from tests.conftest import ROOT

CLIENT = ROOT / "packages" / "client" / "src" / "innerloop"
ELSEWHERE = {
    "core/shared/terminal.py": "the function itself",
    "core/launcher/execute.py": "the error of a command that is not there: each character that cannot be printed is a question mark",
    "core/launcher/attach.py": "what make's $(shell) asked for: two paths of ours",
}
STREAMS = {"stdout", "stderr", "__stdout__", "__stderr__"}
PRINTERS = {"logging", "traceback", "warnings", "pprint", "getpass"}


def prints(tree: ast.AST) -> list[int]:
    """The lines that print, or take hold of a stream to print on."""
    return [node.lineno for node in ast.walk(tree) if isinstance(node, ast.expr | ast.stmt) and is_printing(node)]


def is_printing(node: ast.AST) -> bool:
    match node:
        case ast.Name(id="print" | "input" | "breakpoint"):
            return True
        case ast.Attribute(value=ast.Name(id="sys"), attr=attribute):
            return attribute in STREAMS
        case ast.ImportFrom(module="sys", names=names):
            return bool(STREAMS & {one.name for one in names})
        case ast.Import(names=names):
            return bool(PRINTERS & {one.name for one in names})
        case ast.ImportFrom(module=module):
            return module in PRINTERS
        case ast.Call(
            func=ast.Attribute(value=ast.Name(id="os" | "posix"), attr="write" | "writev" | "fdopen" | "sendfile"),
            args=[ast.Constant(value=1 | 2), *_],
        ):
            return True
        case ast.Call(func=ast.Name(id="open"), args=[ast.Constant(value=1 | 2), *_]):
            return True
    return False


def test_nothing_prints_around_the_one_function() -> None:
    found = {}
    for path in sorted(CLIENT.rglob("*.py")):
        name = path.relative_to(CLIENT).as_posix()
        if lines := prints(ast.parse(path.read_text(encoding="utf-8"))):
            found[name] = lines
    around = {name: lines for name, lines in found.items() if name not in ELSEWHERE and name != "tools/arguments.py"}

    assert around == {}
    assert set(ELSEWHERE) <= set(found), "an exception that is none any more"


@pytest.mark.parametrize(
    "text",
    ["print(1)", "p = print", "sys.stdout.write(x)", "from sys import stderr", "os.write(1, x)", "posix.write(2, x)", "open(1, 'w')", "import logging",
     "s = sys.stderr", "from traceback import print_exc", "input('x')"],
)  # fmt: skip
def test_whatever_prints_is_seen(text: str) -> None:
    assert [1] == prints(ast.parse(text))


def test_only_help_asks_which_stream_it_is() -> None:
    """argparse hands a stream over; it is compared, and not written to."""
    text = (CLIENT / "tools" / "arguments.py").read_text(encoding="utf-8")

    assert 1 == text.count("sys.")
    assert "file is sys.stderr" in text
    assert Path(CLIENT / "core" / "shared" / "terminal.py").read_text(encoding="utf-8").count("buffer.write") == 1
