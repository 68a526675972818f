"""Whoever only reads or administers by `--url` installs some megabytes: the package without its extra `embedded`."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.collector.asking import asked
from tests.collector.support import Collector
from tests.conftest import ENVIRONMENT, ROOT, Installed

# With a module of the extra made impossible to import, as if it were not installed: everything that a command with --url loads.
_ALL_THAT_READS = """
import importlib, pkgutil, re, sys
from importlib.metadata import packages_distributions, requires

extra = {re.split("[^a-z0-9-]", one)[0] for one in requires("innerloop-collector") if "embedded" in one}
assert {"chdb", "numpy", "starlette"} <= extra
for module, of in packages_distributions().items():
    if extra.intersection(name.lower() for name in of) and module not in ("google", "opentelemetry"):
        sys.modules[module] = None
import innerloop_collector.cli as cli
import innerloop_collector.terminal as terminal
for package in (cli, terminal):
    for one in pkgutil.iter_modules(package.__path__):
        if one.name not in ("run_file", "impact_text", "__main__"):  # `impact --from FILE` needs numpy and Parquet
            importlib.import_module(f"{package.__name__}.{one.name}")
print("all")
"""


def test_what_reads_by_url_loads_nothing_of_the_engine() -> None:
    done = subprocess.run([sys.executable, "-c", _ALL_THAT_READS], capture_output=True, text=True, check=False)

    assert ("all\n", "") == (done.stdout, done.stderr)


@pytest.fixture
def collector(tmp_path: Path) -> Iterator[Collector]:
    """A running collector."""
    made = Collector(tmp_path)
    yield made.start_with()
    made.close()


@pytest.fixture(scope="module")
def slim(installed: Installed, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with both wheels and what the collector's needs without an extra, as uv.lock names it."""
    environment = tmp_path_factory.mktemp("slim") / "environment"
    uv = str(ROOT / ".uv" / "bin" / "uv")
    of_lock = [uv, "sync", "--locked", "--package", "innerloop-collector", "--no-default-groups", "--no-install-workspace"]
    variables = {**ENVIRONMENT, "UV_PROJECT_ENVIRONMENT": str(environment), "UV_PYTHON_DOWNLOADS": "never"}
    variables.pop("VIRTUAL_ENV", None)
    wheels = map(str, installed.wheels.glob("*.whl"))
    for command in (of_lock, [uv, "pip", "install", "--no-deps", "--python", str(environment / "bin" / "python"), *wheels]):
        subprocess.run(command, cwd=ROOT, env=variables, check=True, capture_output=True)
    return environment


@pytest.mark.slow
def test_the_wheel_without_extras_reads_and_administers_a_collector_elsewhere(
    slim: Path,
    collector: Collector,
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    size = sum(os.lstat(Path(place, name)).st_size for place, _, names in os.walk(slim) for name in names) / 1e6
    record_property("figures", f"without the engine {size:.0f} MB")
    assert size < 30
    token = asked(collector, "tokens.create", role="admin", label="slim", days=9).json()["token"]
    elsewhere = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "INNERLOOP_COLLECTOR_TOKEN": token}

    def run(*words: str) -> "subprocess.CompletedProcess[str]":
        command = [str(slim / "bin" / "innerloop-collector"), *words]
        return subprocess.run(command, env=elsewhere, capture_output=True, text=True, check=False, cwd=tmp_path)

    for words in (
        ("report", "acme"),
        ("trends", "acme"),
        ("alerts",),
        ("changes", "list"),
        ("impact", "acme", "--all"),
        ("tokens", "list"),
    ):
        done = run(*words, "--url", collector.url)
        assert (0, "") == (done.returncode, done.stderr), words
        assert done.stdout == collector.ask_text(*words), words
    for typed, said in (
        (("report", "acme"), "this needs the engine, which is not installed here: install innerloop-collector[embedded]"),
        (("serve", "--data", "here"), "this needs the engine"),
        (("demo",), "this needs the engine"),
        (
            ("impact", "--from", "runs", "--date", "2031-01-01", "--treated", "build"),
            "is not installed here: install innerloop-collector[embedded]",
        ),
    ):
        done = run(*typed)
        assert (1, "") == (done.returncode, done.stdout)
        assert done.stderr.startswith("innerloop-collector: ")
        assert said in done.stderr
        assert 1 == done.stderr.count("\n")
    assert not (tmp_path / "here").exists()
