"""`innerloop wrap TARGET` is `make impl-TARGET`: same output, same status, also inside a make."""

import os
import signal
from typing import Any

import pytest

from tests.transparency.developer import Developer
from tests.transparency.stage import Ended

MAKEFILE = """
SHELL = /bin/sh
impl-ok: ; @echo out; echo err >&2
impl-say: ; echo said $(WORD)
impl-fail: ; @exit 3
impl-killed: ; @ulimit -c 0; kill -TERM $$$$
impl-kills-make: ; @kill -TERM $$PPID; sleep 5
impl-waits: ; @trap 'sleep 0.3; trap - INT; kill -INT $$$$' INT; echo ready; while :; do sleep 0.05; done
impl-needs: first second ; @echo both
first second: ; @echo $@
impl-reads: ; @cat
.PHONY: $(MAKECMDGOALS)
"""
TARGETS = ("ok", "say", "fail", "killed", "needs", "reads", "missing")
NESTED = ("ok", "say", "needs", "fail")
FLAGS = ("", "-n", "-s", "-k", "-j2", "-t", "-q", "-i", "WORD=word", "-B")


@pytest.fixture(params=["agreed", "refused", "unasked"])
def developer(request: pytest.FixtureRequest) -> Developer:
    found: Developer = request.getfixturevalue(request.param)
    (found.project / "Makefile").write_text(MAKEFILE)
    return found


def _both(developer: Developer, target: str, **options: Any) -> list[Ended]:
    return [
        developer.stage("bare", ["make"]).run(f"impl-{target}", **options),
        developer.stage("wrap", [str(developer.innerloop), "wrap"]).run(target, **options),
    ]


@pytest.mark.parametrize("target", TARGETS)
def test_wrap_is_make(target: str, developer: Developer) -> None:
    bare, wrapped = _both(developer, target, stdin=b"some input\n")

    assert bare == wrapped


def test_where_make_is_killed_wrap_ends_with_128_and_the_signal(agreed: Developer) -> None:
    """As the founding system's script did; without consent it is make itself and is killed."""
    (agreed.project / "Makefile").write_text(MAKEFILE)
    bare, wrapped = _both(agreed, "kills-make")

    assert (-signal.SIGTERM, 128 + signal.SIGTERM) == (bare.status, wrapped.status)
    assert (bare.out, bare.err) == (wrapped.out, wrapped.err)


@pytest.mark.parametrize("flags", FLAGS)
def test_inside_a_make_wrap_is_a_make_of_its_own(flags: str, developer: Developer) -> None:
    seen = []
    for way in ("make impl-$@", f"{developer.innerloop} wrap $@"):
        text = f"{MAKEFILE}\n{' '.join(NESTED)}: ; +@{way}\n.PHONY: {' '.join(NESTED)}\n"
        (developer.project / "Makefile").write_text(text)
        for target in NESTED:
            ended = developer.stage("bare", []).run("make", *flags.split(), target)
            lines = ended.out.replace(way.replace("$@", target).encode(), b"the recipe").splitlines()
            seen.append((ended.status, sorted(lines) if flags == "-j2" else lines, ended.err))
        for touched in ("first", "second", *NESTED, *(f"impl-{target}" for target in NESTED)):
            (developer.project / touched).unlink(missing_ok=True)

    assert seen[: len(NESTED)] == seen[len(NESTED) :]


def test_the_job_server_reaches_the_make_that_is_wrapped(developer: Developer) -> None:
    """`-j` without the `+` would be lost for both; with it both take part."""
    seen = []
    for way in ("make impl-$@", f"{developer.innerloop} wrap $@"):
        text = "ok: ; +@" + way + "\nimpl-ok: a b ;\na: ; @read x <ping\nb: ; @echo x >ping\n"
        (developer.project / "Makefile").write_text(text)
        ping = developer.project / "ping"
        ping.unlink(missing_ok=True)
        os.mkfifo(ping)
        seen.append(developer.stage("bare", []).run("make", "-j2", "--no-print-directory", "ok"))

    assert seen[0] == seen[1]
    assert 0 == seen[0].status


def test_ctrl_c_ends_wrap_as_it_ends_make(agreed: Developer) -> None:
    """The recipe dies a moment later: make itself now and then loses a race ("wait: No child processes") with one that dies at once."""
    (agreed.project / "Makefile").write_text(MAKEFILE)
    seen = []
    for command in ("make impl-waits", f"{agreed.innerloop} wrap waits"):
        with agreed.stage("bare", []).terminal() as terminal:
            terminal.type(command)
            terminal.see("ready")
            terminal.press("c")
            seen.append((terminal.prompt(), str(terminal.child.before).split()))

    assert seen[0] == seen[1]
