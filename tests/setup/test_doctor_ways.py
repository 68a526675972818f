"""`innerloop doctor` says which way in is active here, which is not, why, and what to do."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.setup.conftest import Repository
from tests.transparency.developer import Developer


def ways(developer: Developer, **env: str) -> dict[str, tuple[bool, str]]:
    """The rows of doctor's section, by their names."""
    done = subprocess.run(
        [developer.innerloop, "doctor", "--json"], cwd=developer.project, env=developer.env | env, capture_output=True, check=False
    )
    return {row["name"]: (row["good"], row["finding"]) for row in json.loads(done.stdout)["ways_in"]}


def init(developer: Developer, *words: str) -> None:
    subprocess.run(
        [developer.innerloop, "init", *words],
        cwd=developer.project,
        env=developer.env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=True,
    )


@pytest.fixture
def somebody(hire: Callable[[str], Developer]) -> Developer:
    developer = hire("yes")
    (developer.project / "Makefile").write_text("test: ; @true\n")
    subprocess.run([developer.innerloop, "run", "--", "true"], cwd=developer.project, env=developer.env, check=True)
    return developer


def test_with_everything_in_place_every_row_is_good(somebody: Developer) -> None:
    init(somebody)
    rows = ways(somebody)

    assert [] == [name for name, (good, _) in rows.items() if not good]
    assert {"GNUmakefile", "attach.mk", "shell hook", "targets", "make", "never seen"} == set(rows)
    assert rows["GNUmakefile"][1].endswith("innerloop's, not in git, so for this checkout alone")
    assert "GNU make" in rows["make"][1]


def test_without_a_gnumakefile_it_names_init(somebody: Developer) -> None:
    good, finding = ways(somebody)["GNUmakefile"]

    assert not good
    assert "`innerloop init` writes one" in finding


def test_one_of_the_projects_own_is_told_from_ours_and_from_an_edited_one(somebody: Developer) -> None:
    own = somebody.project / "GNUmakefile"
    own.write_text("x: ; @true\n")
    assert (False, f"{own} is the project's own, without innerloop's line: `innerloop init` adds it") == ways(somebody)["GNUmakefile"]

    init(somebody)
    assert (True, f"{own}: the project's own, with innerloop's lines, not in git, so for this checkout alone") == ways(somebody)[
        "GNUmakefile"
    ]

    own.write_text(own.read_text().replace("$(wildcard", "$(WILDCARD"))
    good, finding = ways(somebody)["GNUmakefile"]
    assert (False, True) == (good, "somebody changed innerloop's lines" in finding)


def test_a_gnumakefile_whose_makefile_is_gone_is_named_with_the_way_out(somebody: Developer) -> None:
    init(somebody)
    (somebody.project / "Makefile").rename(somebody.project / "M")
    said = "the GNUmakefile reads Makefile, which is gone, so make fails: `innerloop init --uninstall` removes it"

    assert (False, said) == ways(somebody)["GNUmakefile"]
    done = subprocess.run(
        [somebody.innerloop, "init", "--dry-run"],
        cwd=somebody.project,
        env=somebody.env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=True,
    )
    assert said in " ".join(done.stdout.decode().split())
    assert b"git ignores" not in done.stdout


def test_directories_without_one_are_named(somebody: Developer) -> None:
    (somebody.project / "api").mkdir()
    (somebody.project / "api" / "Makefile").write_text("test: ; @true\n")
    assert "in api: " in ways(somebody)["below"][1]

    init(somebody, "--all-makefiles")
    assert "below" not in ways(somebody)


def test_a_lost_or_foreign_attach_file_is_named_with_its_remedy(somebody: Developer) -> None:
    path = somebody.state / "attach.mk"
    path.write_text(path.read_text() + "# old\n")
    good, finding = ways(somebody)["attach.mk"]
    assert (False, True) == (good, "belongs to another installation or version" in finding)

    path.unlink()
    good, finding = ways(somebody)["attach.mk"]
    assert (False, True) == (good, "is absent though something is measured" in finding)


def test_the_next_command_heals_a_lost_attach_file(somebody: Developer) -> None:
    """As doctor says; also one of an older version."""
    path = somebody.state / "attach.mk"
    text = path.read_text()
    for harm in (path.unlink, lambda: path.write_text("# old\n")):
        harm()
        assert 0 == somebody.stage("run").run("true").status

        assert text == path.read_text()


def test_without_consent_nothing_is_wrong(hire: Callable[[str], Developer]) -> None:
    developer = hire("")
    (developer.project / "Makefile").write_text("test: ; @true\n")
    good, finding = ways(developer)["attach.mk"]

    assert (True, True) == (good, "nothing on this machine is measured" in finding)
    assert not developer.state.exists()


def test_a_probe_that_cannot_be_run_is_named(somebody: Developer) -> None:
    (directory,) = (somebody.state / "probe").iterdir()
    (directory / "sh").chmod(0o600)
    good, finding = ways(somebody)["targets"]

    assert (False, True) == (good, "cannot be run: its mode, or the file system is mounted noexec" in finding)


def test_a_probe_that_was_switched_off_is_named(somebody: Developer) -> None:
    assert (False, "INNERLOOP_PROBE is off: runs are measured as a whole") == ways(somebody, INNERLOOP_PROBE="off")["targets"]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("GNU Make 3.80", "older than 3.81"),
        ("GNU Make 4.4.1", "GNU make 4.4.1"),
        ("bmake 1", "is not GNU make"),
        ("GNU Make 3.81", "GNU make 3.81"),
    ],
)
def test_the_make_on_path_is_looked_at(somebody: Developer, tmp_path: Path, said: str, expected: str) -> None:
    other = tmp_path / "bin" / "make"
    other.parent.mkdir()
    other.write_text(f"#!/bin/sh\necho '{said}'\n")
    other.chmod(0o755)
    good, finding = ways(somebody, PATH=f"{other.parent}:{somebody.env['PATH']}")["make"]

    assert expected in finding
    assert good == ("older" not in finding and "not GNU" not in finding)


def test_the_hook_is_explained_for_ones_own_shell(somebody: Developer) -> None:
    assert "`type make` says `function`" in ways(somebody, SHELL="/bin/zsh")["shell hook"][1]
    assert "innerloop hook fish | source" in ways(somebody, SHELL="/usr/bin/fish")["shell hook"][1]


def test_a_home_that_make_cannot_name_is_explained(hire: Callable[[str], Developer], tmp_path: Path) -> None:
    developer = hire("yes")
    state = tmp_path / "a b"
    state.mkdir()
    moved = Developer(developer.innerloop, developer.home, developer.project)
    subprocess.run(
        [developer.innerloop, "run", "--", "true"], cwd=developer.project, env=developer.env | {"XDG_STATE_HOME": str(state)}, check=True
    )
    rows = ways(moved, XDG_STATE_HOME=str(state))

    assert "characters that make does not accept" in rows["attach.mk"][1]
    assert (False, False) == (rows["attach.mk"][0], rows["targets"][0])


def test_it_works_where_there_is_no_project(repository: Repository) -> None:
    repository.write("Makefile", "test: ; @true\n")
    done = repository.run(str(repository.innerloop), "doctor")

    assert 0 == done.status
    assert b"NO  project file" in done.out
    assert b"NO  GNUmakefile   none" in done.out
