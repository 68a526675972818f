"""What every test may use: the built wheels, installed once per test session as their users would have them."""

import os
import signal
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path
from typing import NamedTuple

import pytest
from filelock import FileLock

from tests.needs import lacking, need
from tools.system_packages import missing

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENT = dict(os.environ)  # as the session began: uv finds its cache even where a test has another HOME


# Whoever started the tests may have had these ignored (nohup, a job in the background): commands under test would inherit that.
for number in (signal.SIGHUP, signal.SIGQUIT):
    signal.signal(number, signal.SIG_DFL)
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


class Installed(NamedTuple):
    """Where the built artefacts were installed."""

    directory: Path

    @property
    def innerloop(self) -> Path:
        """The command on a developer's PATH: a symbolic link, as `uv tool install` leaves it."""
        return self.directory / "home" / ".local" / "bin" / "innerloop"

    @property
    def client_python(self) -> Path:
        """The interpreter of the environment that holds innerloop and nothing else."""
        return self.directory / "client" / "bin" / "python"

    @property
    def collector(self) -> Path:
        """The command of the environment that holds both distributions."""
        return self.directory / "collector" / "bin" / "innerloop-collector"

    @property
    def wheels(self) -> Path:
        """The directory that holds both wheels."""
        return self.directory / "wheels"

    @property
    def version(self) -> str:
        """The version of the build, as the wheels' names have it."""
        return next(self.wheels.glob("innerloop-*.whl")).name.split("-")[1]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test that failed because a program of tools/system_packages.py is not on this machine was not tried: it is skipped and says so."""
    report = yield
    if report.failed and call.excinfo and (reason := lacking(call.excinfo.value)):
        path, line, _ = item.location
        report.outcome, report.longrepr = "skipped", (path, line or 0, reason)
    return report


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> Generator[None]:
    """Print what tests measured, and after pytest's own list of what was skipped what this machine lacks for it."""
    _print_figures(terminalreporter)
    yield
    _print_what_is_missing(terminalreporter)


def _print_what_is_missing(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = len(terminalreporter.getreports("skipped"))
    wanted = missing() if skipped else []
    if wanted or (skipped and os.geteuid() != 0):
        terminalreporter.section("not tried on this machine", yellow=True)
        terminalreporter.line(f"{skipped} tests were skipped; the lines above say why.")
    if wanted:
        terminalreporter.line(f"For more of them, on Debian: apt-get install {' '.join(wanted)}")
    if skipped and os.geteuid() != 0:
        terminalreporter.line("More of them are tried as root, in a container for instance.")


def _print_figures(terminalreporter: pytest.TerminalReporter) -> None:
    """A worker of xdist has no terminal: its reports carry what `record_property("figures", ...)` says."""
    measured = [
        (report.nodeid, value)
        for outcome in ("passed", "failed")
        for report in terminalreporter.getreports(outcome)
        for name, value in report.user_properties
        if name == "figures" and report.when == "call"
    ]
    if measured:
        terminalreporter.section("figures")
    for test, value in measured:
        terminalreporter.line(f"{test}: {value}")


@pytest.fixture(scope="session")
def strace() -> str:
    """The path of strace: without it nothing is known about system calls."""
    return need("strace")


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """Both wheels, built and installed once, also where several workers of xdist ask for them.

    SUBJECT_PYTHON names another interpreter for the client's environment, such as python3.9. INNERLOOP_TEST_INSTALLED names
    a directory that holds all of it already, such as a copy with a protection taken out (tests/protections).
    """
    if given := ENVIRONMENT.get("INNERLOOP_TEST_INSTALLED"):
        return Installed(Path(given))
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    directory = shared / "installed"
    done = directory / "done"
    with FileLock(shared / "installed.lock"):
        if not done.exists():
            _install(directory)
            done.touch()
    return Installed(directory)


def _install(directory: Path) -> None:
    command = [sys.executable, str(ROOT / "tools" / "install_wheels.py"), str(directory)]
    if subject := ENVIRONMENT.get("SUBJECT_PYTHON"):
        command += ["--client-python", subject]
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.fail(f"the wheels could not be installed:\n{done.stdout}{done.stderr}", pytrace=False)
