"""`innerloop init` proposes groups of files, sessions and checks: guesses from what the Makefiles say, which a person reviews."""

import json
import tomllib
from pathlib import Path

import pytest

from innerloop.core.plan.project_reader import read
from innerloop.core.shared.names import belongs
from innerloop.tools.setup import proposals
from innerloop.tools.setup.makefiles import Makefile
from innerloop.tools.setup.proposals import Proposed
from innerloop.tools.setup.targets import Target
from tests.setup.conftest import ANSWERS, Repository

SESSIONS = [
    Target("run", ""), Target("server", "", "\t./server\n"), Target("serve", ""), Target("docs-serve", ""), Target("shell", ""), Target("lms-shell", ""), Target("dev.shell.*", ""),
    Target("up", "", "\tdocker compose up\n"), Target("watch-test", ""), Target("logs", ""), Target("attach", ""), Target("start", "", "\tnpm start\n"),
    Target("dev", ""), Target("docs", "serve the docs locally"), Target("psql", "open a psql shell"), Target("site", "development server"),
    Target("top", "live view, until interrupted"),
]  # fmt: skip
CHECKS = [
    Target("test", ""), Target("check", ""), Target("lint", ""), Target("typecheck", ""), Target("fmt-check", ""), Target("coverage", ""),
    Target("run-tests", ""), Target("test-unit", "run the unit tests"), Target("services.check", ""), Target("e2e", ""), Target("up-test", "", "\tup\n"),
]  # fmt: skip
NEITHER = [
    Target("build", ""), Target("up", "", "\tdocker compose up -d\n"), Target("up", "", "\tdocker compose up --detach web\n"), Target("start", "", "\td &\n"),
    Target("install", "install the dev server"), Target("test-setup", ""), Target("shell-image", ""), Target("dev.build", ""), Target("checkout", ""),
    Target("stop-server", ""), Target("running", ""), Target("make", ""), Target("truncate", ""), Target("all", "everything"), Target("...", ""),
    Target("build-watch", ""), Target("server", "", "\tcc -o $@ $^\n"), Target("redis-server", "", "\t$(CC) -o $(NAME) $(OBJ)\n"), Target("latest", ""), Target("data-run-once", ""),
]  # fmt: skip


@pytest.mark.parametrize(
    ("targets", "mark"), [(SESSIONS, "session"), (CHECKS, "check"), (NEITHER, "")], ids=["sessions", "checks", "neither"]
)
def test_what_a_target_seems_to_be(targets: list[Target], mark: str) -> None:
    assert [] == [one for one in targets if proposals.mark(one) != mark]


LIKE_REDIS = """\
OBJ = adlist.o ae.o redis.o
all: server libs
server: $(OBJ) ../deps/lua.a
\tcc -o $@ $^
%.o: %.c config.h
\tcc -c $<
config.h: ; touch $@
test: server
\t./test
.PHONY: all libs help.html
help.html: ; @true
libs: build/a.so
build/%.so: ; @true
"""
PLACES: dict[str, tuple[str, list[str]]] = {
    "a pattern, and what is needed of it": (LIKE_REDIS, ["*.h", "*.o", "build/*.so"]),
    "objects of make's own rules": ("x: main.o src/a.o\n\tcc -o x main.o src/a.o\n", ["*.o", "src/*.o"]),
    "an old suffix rule": (".c.o:\n\tcc -c $<\n", ["*.o"]),
    "files of one ending in many directories": ("x: a/1.o b/1.o c/1.o d/1.o\n\ttrue\n", ["%.o"]),
    "sources are not built": ("x: main.c data.json\n\tcc main.c\n", []),
    "a file that is there is no product": ("x: there.o\n\ttrue\n", []),
    "a help text, a dot that is no ending, and another's directory": (
        "a.html: ## a page\n\ttrue\ndev.up: ; true\n../x.o /y.o: ; true\n%: ; true\n",
        [],
    ),
    "what a function makes is not known": ("$(wildcard *.o) $(X:%=%.o) a$(N).o: ; true\n", []),
}


@pytest.mark.parametrize("place", PLACES)
def test_groups_are_of_the_files_that_a_makefile_builds(tmp_path: Path, place: str) -> None:
    text, expected = PLACES[place]
    (tmp_path / "Makefile").write_text(text)
    (tmp_path / "there.o").touch()
    found = proposals.groups(str(tmp_path), [Makefile("", "Makefile", None)])

    assert found == expected
    if place.startswith("a pattern"):
        assert [name for name in ("adlist.o", "build/a.so") if not any(belongs(name, group) for group in found)] == []


def test_a_new_file_has_them_and_init_says_so(repository: Repository) -> None:
    repository.write("Makefile", LIKE_REDIS + "serve: ## until stopped\n\t./server\nup.%: ; docker compose up $*\n")
    done = repository.init(*ANSWERS)
    document = tomllib.loads(repository.bytes("innerloop.toml").decode())
    said = " ".join(done.out.decode().split())

    assert {key: document["names"][key] for key in ("groups", "sessions", "checks")} == {
        "groups": ["*.h", "*.o", "build/*.so"], "sessions": ["serve", "up.*"], "checks": ["test"],
    }  # fmt: skip
    assert read(document).names.groups == ("*.h", "*.o", "build/*.so")
    assert "names and 3 groups that may leave; everything else is `other`." in said
    assert "Note: 3 groups proposed in innerloop.toml: `*.h`, `*.o`, `build/*.so`." in said
    assert "Note: 2 sessions proposed in innerloop.toml: `serve`, `up.*`. Note: 1 check proposed in innerloop.toml: `test`." in said
    assert repository.init("--uninstall").status == 0
    assert not (repository.path / "innerloop.toml").exists(), "it is as init wrote it"


def test_a_file_that_is_there_is_told_what_fits_once_and_for_listed_names_only(repository: Repository) -> None:
    repository.write("Makefile", "test: main.o\n\ttrue\nserve: ; true\n")
    repository.init(*ANSWERS)
    text = repository.bytes("innerloop.toml").decode().partition("\n# Files that make builds")[0]
    repository.write("innerloop.toml", text.replace('    "serve",\n', ""))
    said = " ".join(repository.init().out.decode().split())

    assert (
        'innerloop.toml says nothing of groups; what fits: groups = ["*.o"] under [names]; whoever agreed already is asked again.' in said
    )
    assert 'what fits: checks = ["test"] under [names].' in said
    assert "sessions" not in said
    repository.write("innerloop.toml", text + "groups = []\nsessions = []\nchecks = []\n")
    assert "says nothing of" not in " ".join(json.loads(repository.init("--json").out)["remarks"])


def test_nothing_is_proposed_for_a_key_that_a_file_has() -> None:
    proposed = Proposed(["*.o"], ["run"], ["test"])

    assert proposed.lacking({"names": {"allow": ["run"], "groups": ["x-%"]}}) == Proposed([], ["run"], [])
    assert proposed.lacking({}) == Proposed(["*.o"], [], [])
    assert proposed.lacking({"names": "odd"}) == Proposed(["*.o"], [], [])
