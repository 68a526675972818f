"""Each build has a version that sorts: building and installing again upgrades, and builds of one commit are one."""

import filecmp
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from packaging.version import Version

from tests.conftest import ENVIRONMENT, ROOT, Installed
from tests.needs import need

UV = ROOT / ".uv" / "bin" / "uv"
WRITTEN = 1_600_000_000  # when the sources below were written, and at noon of which days they were committed
FIRST, SECOND = "2021-02-01T12:00:00Z", "2021-02-02T12:00:00Z"


def run(*words: object, directory: Path, **extra: str) -> str:
    """Run a command; its output, where it works."""
    kept = {key: value for key, value in ENVIRONMENT.items() if not key.startswith("GIT_")}
    done = subprocess.run([str(word) for word in words], cwd=directory, env=kept | extra, capture_output=True, text=True, check=False)
    assert 0 == done.returncode, done.stderr
    return done.stdout.strip()


def git(tree: Path, *words: object, **extra: str) -> str:
    """Run git there, as somebody whom no configuration of this machine knows."""
    who = {f"GIT_{role}_{what}": "d@d" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    return run(need("git"), *words, directory=tree, **who, GIT_CONFIG_GLOBAL="/dev/null", GIT_CONFIG_NOSYSTEM="1", **extra)


def commit(tree: Path, when: str) -> None:
    """Commit everything at a moment."""
    git(tree, "add", "--all")
    git(tree, "commit", "-qm", "x", "--allow-empty", GIT_COMMITTER_DATE=when, GIT_AUTHOR_DATE=when)


def version(tree: Path) -> str:
    """The version that a build of a tree has."""
    return run(sys.executable, "-c", "import version; print(version.version())", directory=tree / "packages" / "client" / "scripts")


def build(tree: Path, output: Path, what: str = "--wheel", package: str = "client") -> Path:
    """Build a package of a tree, as an installer would: into a directory that is the build's alone."""
    run(
        UV,
        "build",
        what,
        "--no-build-isolation",
        "--python",
        sys.executable,
        "--out-dir",
        output,
        tree / "packages" / package,
        directory=tree,
    )
    (built,) = (path for path in output.iterdir() if path.suffix in (".whl", ".gz"))
    return built


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """The sources of both packages in a directory of their own."""
    directory = tmp_path / "tree"
    shutil.copytree(ROOT / "packages", directory / "packages", ignore=shutil.ignore_patterns("__pycache__", "bin"))
    for name in (".gitattributes", ".gitignore"):
        shutil.copy(ROOT / name, directory)
    for path in directory.rglob("*"):
        os.utime(path, (WRITTEN, WRITTEN))
    return directory


@pytest.fixture
def checkout(tree: Path) -> Path:
    """The same as somebody's git checkout."""
    git(tree, "init", "-q")
    commit(tree, FIRST)
    return tree


def test_a_later_commit_sorts_after_and_the_same_commit_is_the_same(checkout: Path, tmp_path: Path) -> None:
    first = [build(checkout, tmp_path / name) for name in ("one", "two")]
    assert "innerloop-0.1.0.post20210201120000-py3-none-any.whl" == first[0].name == first[1].name
    assert filecmp.cmp(*first, shallow=False)

    commit(checkout, SECOND)
    assert Version(version(checkout)) > Version("0.1.0.post20210201120000") > Version("0.1.0")


def test_installing_a_later_build_replaces_the_earlier(checkout: Path, tmp_path: Path) -> None:
    """With no option that forces it."""
    place = tmp_path / "environment"
    run(UV, "venv", "--quiet", "--python", sys.executable, place, directory=tmp_path)
    for when, said in ((FIRST, "20210201120000"), (SECOND, "20210202120000")):
        commit(checkout, when)
        wheel = build(checkout, tmp_path / said)
        run(UV, "pip", "install", "--offline", "--python", place, wheel, directory=tmp_path)

        assert f"innerloop 0.1.0.post{said}" == run(place / "bin" / "innerloop", "--version", directory=tmp_path)


def test_what_is_not_committed_sorts_after_its_commit(checkout: Path) -> None:
    committed = Version(version(checkout))
    (checkout / "packages" / "README.md").write_text("a new file")
    added = Version(version(checkout))
    (checkout / "packages" / "README.md").unlink()
    (checkout / "packages" / "client" / "src" / "innerloop" / "start.py").unlink()
    removed = Version(version(checkout))
    commit(checkout, SECOND)
    (checkout / "elsewhere").write_text("no part of a build")

    assert version_at(WRITTEN) < "0.1.0.post20210202120000" == version(checkout)
    assert added > committed
    assert removed > committed


def version_at(moment: int) -> str:
    """The version of sources of a moment."""
    return subprocess.run(
        ["date", "-u", "-d", f"@{moment}", "+0.1.0.post%Y%m%d%H%M%S"],
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": ENVIRONMENT["PATH"]},
    ).stdout.strip()


def test_without_git_it_is_the_newest_files(tree: Path) -> None:
    """A copy of the sources, also inside of somebody else's repository."""
    assert version_at(WRITTEN) == version(tree)
    if shutil.which("git"):
        git(tree.parent, "init", "-q")
        commit(tree.parent, SECOND)
        assert version_at(WRITTEN) == version(tree)
    os.utime(tree / "packages" / "client" / "README.md", (WRITTEN + 60, WRITTEN + 60))
    assert version_at(WRITTEN + 60) == version(tree)


def test_what_git_archive_writes_has_the_commits_version(checkout: Path, tmp_path: Path) -> None:
    done = subprocess.run([need("git"), "archive", "HEAD"], cwd=checkout, capture_output=True, check=True)
    (tmp_path / "archive").mkdir()
    subprocess.run(["tar", "-x"], cwd=tmp_path / "archive", input=done.stdout, check=True)

    assert version(checkout) == version(tmp_path / "archive")


@pytest.mark.parametrize("package", ["client", "collector"])
def test_an_sdist_gives_the_wheel_that_the_tree_gives(tree: Path, tmp_path: Path, package: str) -> None:
    """It holds its version, wherever it is unpacked."""
    direct = build(tree, tmp_path / "direct", package=package)
    sdist = build(tree, tmp_path / "sdist", "--sdist", package)
    place = tmp_path / "elsewhere" / "packages"
    place.mkdir(parents=True)
    run("tar", "-xzf", sdist, directory=place)
    (unpacked,) = place.iterdir()
    unpacked.rename(place / package)

    assert direct.name == build(place.parent, tmp_path / "indirect", package=package).name


def test_both_wheels_the_one_file_and_both_commands_agree(installed: Installed, tmp_path: Path) -> None:
    """And the collector's wheel asks for the client that was built with it."""
    said = installed.version
    (collector,) = installed.wheels.glob("innerloop_collector-*.whl")
    archive = zipfile.ZipFile(collector)
    metadata = archive.read(next(name for name in archive.namelist() if name.endswith("/METADATA"))).decode()
    run(sys.executable, ROOT / "tools" / "build_pyz.py", tmp_path / "innerloop.pyz", directory=tmp_path)
    commands = [[installed.innerloop], [installed.collector], ["python3", tmp_path / "innerloop.pyz"]]
    told = [run(*command, "--version", directory=tmp_path, HOME=str(tmp_path)) for command in commands]

    assert f"innerloop_collector-{said}-py3-none-any.whl" == collector.name
    assert f"\nRequires-Dist: innerloop=={said}\n" in metadata
    assert [f"innerloop {said}", f"innerloop-collector, version {said}", f"innerloop {said}"] == told


def test_the_release_is_said_once_for_both() -> None:
    """They belong together: one tag, one changelog."""
    packages = ROOT / "packages"
    releases = [
        re.search(r'^__version__ = "([0-9.]+)"$', path.read_text(encoding="utf-8"), re.MULTILINE)
        for path in (packages / "client/src/innerloop/__init__.py", packages / "collector/src/innerloop_collector/__init__.py")
    ]
    assert releases[0]
    assert releases[1]
    assert releases[0][1] == releases[1][1]
    assert filecmp.cmp(packages / "client" / "hatch_build.py", packages / "collector" / "hatch_build.py", shallow=False)


def test_the_checkouts_own_command_runs(tmp_path: Path) -> None:
    """It is installed as a link to the sources, and says so by a version without a moment."""
    command = Path(sys.executable).with_name("innerloop")

    assert re.fullmatch(r"innerloop [0-9.]+", run(command, "--version", directory=tmp_path, HOME=str(tmp_path)))
    assert "measured" == run(command, "run", "--", "echo", "measured", directory=tmp_path, HOME=str(tmp_path))
