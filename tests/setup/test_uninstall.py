"""`innerloop init --uninstall` restores every byte, and what somebody else wrote is never lost."""

import os
import re

import pytest

from innerloop.tools.setup import exclude, gnumakefile
from tests.setup.conftest import ANSWERS, Repository

MAKEFILE = "test: ; @echo tested\n"


def make_repository(repository: Repository) -> None:
    """Files of all sorts, some of which look like ours."""
    repository.write("Makefile", MAKEFILE)
    repository.write("api/makefile", MAKEFILE)
    repository.write("web/GNUmakefile", b"web: ; @echo web")
    repository.write("dos/GNUmakefile", b"dos: ; @echo dos\r\nx: ; @true\r\n")
    repository.write("notes/GNUmakefile.txt", gnumakefile.whole("Makefile"))
    repository.write(".gitignore", "*.o\n")
    repository.commit()
    for path in repository.path.rglob("*"):
        if path.is_file() and ".git/" not in str(path):
            os.utime(path, (1e9, 1e9))


@pytest.mark.parametrize("words", [(), ("--way", "private"), ("--way", "hook"), ("--way", "none"), ("--all-makefiles",)], ids=" ".join)
def test_every_byte_is_restored(repository: Repository, words: tuple[str, ...]) -> None:
    make_repository(repository)
    before, edited = repository.tree(), ("web/GNUmakefile", "dos/GNUmakefile")
    assert 0 == repository.init(*ANSWERS, *words).status
    assert before != repository.tree()
    done = repository.init("--uninstall")

    assert (0, b"") == (done.status, done.err)
    after = repository.tree()
    rewritten: tuple[str, ...] = edited if "--all-makefiles" in words else ()
    rewritten += (".git/info/exclude",) if "private" in words else ()
    assert {name: entry[:2] for name, entry in before.items()} == {name: entry[:2] for name, entry in after.items()}
    assert {name: entry for name, entry in before.items() if name not in rewritten} == repository.tree(without=rewritten)


def test_with_nothing_to_take_out_nothing_is_touched(repository: Repository) -> None:
    make_repository(repository)
    before = repository.tree()
    done = repository.init("--uninstall")

    assert (0, before) == (done.status, repository.tree())
    assert b"There is nothing to change." in done.out


def test_a_private_gnumakefile_is_not_seen_by_git(repository: Repository) -> None:
    make_repository(repository)
    repository.init("--way", "private", *ANSWERS)

    assert "?? innerloop.toml\n" == repository.git("status", "--porcelain")
    repository.init("--way", "makefile")
    assert "?? GNUmakefile\n?? innerloop.toml\n" == repository.git("status", "--porcelain")


def test_a_worktree_has_its_own_way_to_the_list(repository: Repository) -> None:
    make_repository(repository)
    repository.git("worktree", "add", "-q", "../tree")
    before = repository.bytes(".git/info/exclude")
    repository.init("--way", "private", directory="../tree")
    assert before != repository.bytes(".git/info/exclude")
    repository.init("--uninstall", directory="../tree")

    assert before == repository.bytes(".git/info/exclude")


@pytest.mark.parametrize("before", [None, b"", b"a", b"a\n", b"a\nb", b"# innerloop init\n/other\n", b"a\r\n"])
def test_the_list_of_what_git_ignores_is_restored(before: "bytes | None") -> None:
    one = exclude.add(before, b"/GNUmakefile")
    two = exclude.add(one, b"/api/GNUmakefile")

    assert exclude.is_added(two, b"/GNUmakefile")
    assert exclude.is_added(two, b"/api/GNUmakefile")
    back = exclude.remove(two, b"/GNUmakefile")
    assert back is not None
    assert before == exclude.remove(back, b"/api/GNUmakefile")
    assert (before or b"").endswith(b"\n") or not before or not two.endswith(b"\n")


def test_lines_that_others_added_to_the_list_stay() -> None:
    assert b"a\nmine\n" == exclude.remove(exclude.add(b"a", b"/GNUmakefile") + b"\nmine\n", b"/GNUmakefile")


def test_a_project_file_that_somebody_changed_stays_and_is_named(repository: Repository) -> None:
    make_repository(repository)
    repository.init(*ANSWERS)
    repository.write("innerloop.toml", repository.bytes("innerloop.toml") + b"# mine\n")
    done = repository.init("--uninstall")

    assert 0 == done.status
    assert b"innerloop.toml stays" in done.out.replace(b"\n", b" ")
    assert repository.has("innerloop.toml")
    assert not repository.has("GNUmakefile")


def test_a_project_file_that_was_only_filled_in_goes_again(repository: Repository) -> None:
    make_repository(repository)
    repository.init()
    text = repository.bytes("innerloop.toml").decode()
    for key, value in (("organisation", "Example"), ("endpoint", "https://x.example"), ("write_key", "shop.secret")):
        text = re.sub(f"^{key} = .*$", f'{key} = "{value}" # ours', text, count=1, flags=re.MULTILINE)
    repository.write("innerloop.toml", text)
    assert 0 == repository.init("--uninstall").status

    assert not repository.has("innerloop.toml")


def test_our_gnumakefile_with_other_peoples_lines_still_builds(repository: Repository) -> None:
    make_repository(repository)
    repository.init()
    repository.write("GNUmakefile", b"before: ; @echo before\n" + repository.bytes("GNUmakefile") + b"after: ; @echo after\n")
    done = repository.init("--uninstall")

    assert 0 == done.status
    assert b"before: ; @echo before\ninclude Makefile\nafter: ; @echo after\n" == repository.bytes("GNUmakefile")
    assert b"tested\n" == repository.run("make", "test").out
    assert b"it has other lines than ours" in done.out.replace(b"\n", b" ")


def test_lines_of_ours_that_somebody_edited_stay_and_are_named(repository: Repository) -> None:
    make_repository(repository)
    repository.init()
    edited = repository.bytes("GNUmakefile").replace(b"$(value HOME)", b"$(HOME)")
    repository.write("GNUmakefile", edited)
    done = repository.init("--uninstall")

    assert 1 == done.status
    assert b"somebody changed innerloop's lines" in done.err
    assert edited == repository.bytes("GNUmakefile")
    assert 1 == repository.init().status


def test_a_file_that_was_edited_elsewhere_loses_our_lines_only(repository: Repository) -> None:
    make_repository(repository)
    repository.init("--all-makefiles")
    repository.write("web/GNUmakefile", b"# a heading\n" + repository.bytes("web/GNUmakefile") + b"\nmore: ; @true\n")
    repository.init("--uninstall")

    assert b"# a heading\nweb: ; @echo web\nmore: ; @true\n" == repository.bytes("web/GNUmakefile")


def test_line_ends_that_git_changed_are_ours_all_the_same(repository: Repository) -> None:
    make_repository(repository)
    repository.init()
    repository.write("GNUmakefile", repository.bytes("GNUmakefile").replace(b"\n", b"\r\n"))
    assert 0 == repository.init("--uninstall").status

    assert not repository.has("GNUmakefile")


def test_a_symbolic_link_is_left_alone(repository: Repository, tmp_path: "os.PathLike[str]") -> None:
    make_repository(repository)
    other = repository.write("../elsewhere", "x: ; @true\n")
    (repository.path / "GNUmakefile").symlink_to(other)
    done = repository.init()

    assert 1 == done.status
    assert b"is a symbolic link" in done.err
    assert b"x: ; @true\n" == other.read_bytes()


def test_the_mode_of_a_changed_file_stays(repository: Repository) -> None:
    path = repository.write("GNUmakefile", "x: ; @true\n")
    path.chmod(0o755)
    repository.init()

    assert 0o755 == path.stat().st_mode & 0o777
