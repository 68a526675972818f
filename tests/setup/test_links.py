"""`innerloop init` writes in the project and in its own git directory, wherever links and git's own files lead: what a clone brings along chooses no other place."""

import shutil
from pathlib import Path

import pytest

from innerloop.tools.setup import gnumakefile
from tests.setup.conftest import ANSWERS, Repository

MAKEFILE = "test: ; @echo tested\n"


def contents(directory: Path) -> dict[str, bytes]:
    return {str(path.relative_to(directory)): path.read_bytes() for path in sorted(directory.rglob("*")) if path.is_file()}


@pytest.fixture
def other(repository: Repository, tmp_path: Path) -> Path:
    """A repository of somebody's that has nothing to do with the project, and a worktree and a submodule of it."""
    mine = Repository(repository.innerloop, tmp_path / "other", repository.home)
    mine.path.mkdir()
    mine.write("Makefile", MAKEFILE)
    mine.commit()
    mine.git("worktree", "add", "-q", "../tree")
    mine.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", "./", "part")
    return mine.path


def lead_there(repository: Repository, way: str, other: Path) -> None:
    """As an archive may be made: its `.git` leads to a repository of somebody else's."""
    git = repository.path / ".git"
    if way in ("gitfile", "worktree", "submodule"):
        git.write_text(f"gitdir: {other}/.git{ {'gitfile': '', 'worktree': '/worktrees/tree', 'submodule': '/modules/part'}[way] }\n")
        return
    if way == "link":
        git.symlink_to(other / ".git")
        return
    repository.commit()
    if way == "common directory":
        (git / "commondir").write_text(f"{other}/.git\n")
    elif way == "own worktree":  # names the project, and lies where the project chose
        shutil.move(git, repository.path / "fake")
        (repository.path / "fake" / "commondir").write_text(f"{other}/.git\n")
        (repository.path / "fake" / "gitdir").write_text(f"{git}\n")
        git.write_text("gitdir: fake\n")
    elif way == "info":
        shutil.rmtree(git / "info", ignore_errors=True)
        (git / "info").symlink_to(other / ".git" / "info")
    elif way == "list":
        (git / "info").mkdir(exist_ok=True)
        (git / "info" / "exclude").unlink(missing_ok=True)
        (git / "info" / "exclude").symlink_to(other / ".git" / "info" / "exclude")


WAYS = ("gitfile", "worktree", "submodule", "link", "common directory", "own worktree", "info", "list")


@pytest.mark.parametrize("way", WAYS)
def test_nothing_is_written_into_the_git_directory_of_another_repository(repository: Repository, other: Path, way: str) -> None:
    repository.write("Makefile", MAKEFILE)
    repository.write("innerloop.toml", "")
    lead_there(repository, way, other)
    before = contents(other)
    done = repository.init("--way", "private")

    assert before == contents(other)
    assert 1 == done.status
    assert b"Traceback" not in done.err
    assert not repository.has("GNUmakefile")
    for words in (("--way", "makefile"), ("--uninstall",)):
        assert b"Traceback" not in repository.init(*words).err
        assert before == contents(other)


def test_who_is_refused_is_told_where_the_git_directory_leads(repository: Repository, other: Path) -> None:
    repository.write("Makefile", MAKEFILE)
    lead_there(repository, "gitfile", other)
    done = repository.init("--way", "private", *ANSWERS)

    said = f"{repository.path}/.git leads to {other}/.git, which does not say that it belongs to this checkout, so nothing is written there"
    assert said in " ".join(done.err.decode().split())


@pytest.mark.parametrize("place", ["../tree", "part"])
def test_a_worktree_and_a_submodule_keep_a_file_out_of_their_own_git(repository: Repository, other: Path, place: str) -> None:
    mine = Repository(repository.innerloop, other / place, repository.home)
    assert 0 == mine.init("--way", "private", *ANSWERS).status
    assert mine.has("GNUmakefile")
    assert "" == mine.git("status", "--porcelain", "GNUmakefile")
    assert 0 == mine.init("--uninstall").status

    assert not mine.has("GNUmakefile")


@pytest.mark.parametrize("words", [("--all-makefiles",), ("--all-makefiles", "--way", "private"), ("--uninstall",)], ids=" ".join)
@pytest.mark.parametrize("git", [True, False], ids=["git", "no git"])
def test_through_a_linked_directory_nothing_is_written(repository: Repository, tmp_path: Path, git: bool, words: tuple[str, ...]) -> None:
    """Also where git still lists the Makefiles of a directory in whose place a link stands now, and where a list of the clone's names it."""
    for name in ("Makefile", "api/Makefile"):
        repository.write(name, MAKEFILE)
    if git:
        repository.commit()
        repository.write(".git/info/exclude", "# innerloop init\n/api/GNUmakefile\n# innerloop init\n/bare/GNUmakefile\n")
    for name in ("api", "bare"):
        outside = tmp_path / f"outside-{name}"
        outside.mkdir()
        (outside / "GNUmakefile").write_bytes(gnumakefile.whole("Makefile"))
        shutil.rmtree(repository.path / name, ignore_errors=True)
        (repository.path / name).symlink_to(outside)
    outside = tmp_path / "outside-api"
    (outside / "Makefile").write_text(MAKEFILE)
    if words != ("--uninstall",):
        (outside / "GNUmakefile").unlink()
    before = {name: contents(tmp_path / f"outside-{name}") for name in ("api", "bare")}
    done = repository.init(*words, *(() if words == ("--uninstall",) else ANSWERS))

    assert b"Traceback" not in done.err
    assert before == {name: contents(tmp_path / f"outside-{name}") for name in before}
