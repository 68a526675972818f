"""A closed or full stream: what was asked for is done, one line says so where one can, the status is 1, and no traceback."""

import subprocess
from pathlib import Path

import pytest

from tests.client.people import Developer
from tests.conftest import Installed

PRINTING = [
    ["status"], ["status", "--json"], ["doctor"], ["describe"], ["describe", "--dpia"], ["report"], ["report", "--json"], ["timeline", "--list", "--json"],
    ["show", "pending"], ["show", "next"], ["flush", "--json"], ["init", "--dry-run"], ["init", "--json"], ["init", "--uninstall", "--dry-run"], ["hook", "bash"],
    ["--help"], ["help"], ["help", "status"], ["--version"], ["status", "--help"], ["init", "--container", "--json"],
]  # fmt: skip
SAYING = [["opt-out"], ["opt-in"], ["bogus"], [], ["run"], ["forget"], ["timeline", "nosuch"], ["install"], ["reset-id"]]
LINE = "innerloop: standard output: {}; what was asked for could not be printed\n"


def ended(developer: Developer, words: list[str], redirection: str) -> tuple[int, str, str]:
    """Run a command from a shell with a redirection."""
    done = subprocess.run(
        ["sh", "-c", f'"$0" "$@" {redirection}', str(developer.command), *words], cwd=developer.directory, env=developer.env,
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def somebody(agreed: Developer) -> Developer:
    agreed.run("make", "test")
    return agreed


def test_a_full_stdout_is_one_quiet_failure(somebody: Developer) -> None:
    for words in PRINTING:
        status, _, err = ended(somebody, words, ">/dev/full")
        assert (1, LINE.format("No space left on device")) == (status, err.replace(said_besides(err), "")), words


def test_a_closed_stdout_is_one_quiet_failure(somebody: Developer) -> None:
    for words in PRINTING:
        status, _, err = ended(somebody, words, ">&-")
        assert (1, LINE.format("it is closed")) == (status, err.replace(said_besides(err), "")), words


def said_besides(err: str) -> str:
    """What a command says on stderr in any case."""
    return "".join(line for line in err.splitlines(keepends=True) if not line.startswith("innerloop: standard output"))


@pytest.mark.parametrize(
    "redirection",
    [
        "<&- >&- 2>&-",
        *(pytest.param(one, marks=pytest.mark.slow) for one in ("2>&-", "2>/dev/full", ">&- 2>&-", ">/dev/full 2>/dev/full", "<&-")),
    ],
)
def test_no_stream_is_needed_for_a_status(somebody: Developer, redirection: str) -> None:
    """The status is what it is with all streams, but for 1 where something could not be printed; nothing appears elsewhere."""
    for words in [*PRINTING, *SAYING[1:]]:
        usual = ended(somebody, words, "")
        status, out, err = ended(somebody, words, redirection)
        lost = ">" in redirection.replace("2>", "") and usual[0] == 0 and words in PRINTING
        assert status == (1 if lost else usual[0]), words
        assert "Traceback" not in out + err, words


@pytest.mark.parametrize("redirection", [">&- 2>&-", ">/dev/full 2>/dev/full", "2>&-"])
def test_leaving_needs_no_stream(somebody: Developer, redirection: str) -> None:
    assert 0 == ended(somebody, ["opt-out"], redirection)[0]

    assert somebody.consent["decision"] is False
    assert [] == somebody.place("sealed") + somebody.place("new")


def test_what_was_to_be_written_is_written(somebody: Developer) -> None:
    (somebody.directory / "Makefile").write_text("test: ; @true\nnew: ; @true\n")
    assert 1 == ended(somebody, ["init", "--update-names"], ">/dev/full")[0]

    assert '"new"' in somebody.project_file.read_text()
    assert 0 == ended(somebody, ["init", "--update-names"], "")[0]


def test_no_file_of_ours_gets_the_number_of_a_stream(somebody: Developer, strace: str) -> None:
    """A file that is opened as number 1 would get what a child prints."""
    trace = somebody.base / "trace"
    subprocess.run(
        ["sh", "-c", f'exec {strace} -f -qq -e trace=open,openat -o {trace} "$0" flush <&- >&- 2>&-', str(somebody.command)],
        cwd=somebody.directory, env=somebody.env, check=False, timeout=60,
    )  # fmt: skip
    lines = [line for line in Path(trace).read_text().splitlines() if line.rpartition(" = ")[2].strip() in ("0", "1", "2")]
    ours = [line for line in lines if str(somebody.home) in line and "O_RDONLY" not in line]
    assert [] == ours


def test_a_reader_that_has_seen_enough_ends_it_quietly(somebody: Developer) -> None:
    done = subprocess.run(
        ["bash", "-c", '"$0" describe --dpia | head -c 1 >/dev/null; echo ${PIPESTATUS[0]}', str(somebody.command)],
        cwd=somebody.directory, env=somebody.env, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "" == done.stderr
    assert done.stdout.strip() in ("0", "141")


@pytest.mark.parametrize(("redirection", "status"), [("2>/dev/null", 3), ("2>/dev/full", 0), ("2>&-", 0)])
def test_a_question_that_nobody_can_read_is_not_answered(installed: Installed, redirection: str, status: int) -> None:
    """A typed-ahead yes is no yes to a question that was not shown."""
    ask = "from innerloop.core.shared import terminal; terminal.prepare(); raise SystemExit(3 if terminal.ask('Share? ') == 'yes' else 0)"
    done = subprocess.run(
        ["sh", "-c", f'"$0" -c "$1" {redirection}', str(installed.client_python), ask], input=b"yes\n", capture_output=True, check=False
    )

    assert (status, b"") == (done.returncode, done.stdout)
