"""The launcher's cache can be old, torn, foreign or absent: it may cost a look at the sources, never a leak."""

import json
import os
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from innerloop.core.shared import cache
from tests.client.people import Developer, eventually
from tests.client.recorder import Recorder


@pytest.fixture
def left(agreed: Developer) -> Developer:
    """Somebody who said yes, ran something, and left; the cache of the yes is kept beside the true one."""
    agreed.run("make", "test")
    shutil.copy2(agreed.hot_file, agreed.base / "hot-of-a-yes")
    shutil.copy2(agreed.consent_file, agreed.base / "consent-of-a-yes")
    agreed.opt_out()
    return agreed


def records_nothing(developer: Developer, server: Recorder) -> None:
    before = developer.recorded()
    assert developer.run("make", "fail").status == 2
    assert developer.run_at_terminal("make", "fail").status == 2
    assert developer.recorded() == before
    developer.make_delivery_due()
    developer.run("make", "test")
    developer.innerloop("deliver")
    developer.flush()
    assert server.connections == 0


def test_a_cache_of_an_older_answer_is_not_believed(left: Developer, server: Recorder) -> None:
    shutil.copy2(left.base / "hot-of-a-yes", left.hot_file)
    records_nothing(left, server)


def test_an_answer_put_back_with_its_old_time_is_another_file(left: Developer, server: Recorder) -> None:
    """Even the same size, times and place do not make it the file that the cache knew: a developer's no stays a no."""
    no = left.consent_file.read_bytes()
    shutil.copy2(left.base / "consent-of-a-yes", left.consent_file)
    left.run("make", "test")
    status = left.consent_file.stat()
    left.consent_file.write_bytes(no.ljust(status.st_size))
    os.utime(left.consent_file, ns=(status.st_atime_ns, status.st_mtime_ns))
    recorded = left.recorded()
    left.run("make", "test")
    assert left.recorded() == recorded


@pytest.mark.parametrize("length", [0, 16, 200, -1, -5])
def test_a_truncated_cache_is_no_cache(agreed: Developer, length: int) -> None:
    agreed.run("make", "test")
    whole = agreed.hot_file.read_bytes()
    agreed.hot_file.write_bytes(whole[:length])
    for _ in range(2):
        assert agreed.run("make", "test").status == 0
    assert agreed.recorded() == 3
    assert agreed.hot_file.read_bytes() == whole, "it is written again"


def test_a_cache_that_was_cut_anywhere_is_no_cache(agreed: Developer) -> None:
    """At every byte; its last line says that it is whole."""
    whole = agreed.hot_file.read_bytes()
    assert cache.parse(whole) is not None
    assert [length for length in range(len(whole)) if cache.parse(whole[:length]) is not None] == []


@pytest.mark.parametrize("where", ["before an answer", "after a no"])
def test_a_cut_cache_of_a_yes_makes_no_yes(left: Developer, server: Recorder, where: str) -> None:
    """Neither after a no, nor where there is no answer at all."""
    yes = (left.base / "hot-of-a-yes").read_bytes()
    if where == "before an answer":
        left.consent_file.unlink()
    before = left.recorded()
    for length in [*range(0, len(yes), 40), len(yes) - 5, len(yes) - 1, len(yes)]:
        left.hot_file.write_bytes(yes[:length])
        left.hot_file.chmod(0o600)
        assert left.run("true").status == 0
    assert left.recorded() == before
    records_nothing(left, server)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_cache_that_was_cut_at_any_byte_costs_no_run(agreed: Developer) -> None:
    agreed.run("make", "test")
    whole = agreed.hot_file.read_bytes()
    for length in range(len(whole)):
        agreed.hot_file.write_bytes(whole[:length])
        assert agreed.run("true").status == 0
        assert agreed.hot_file.read_bytes() == whole, "it is written again"
    assert agreed.recorded() == len(whole) + 1


@pytest.mark.parametrize(
    "garbage", [b"\0" * 9, b"innerloop-hot 2\nend\n", b"innerloop-hot 1\nmode on\nend\n", b"\xff\xfe\nend\n", b"x" * 300_000]
)
def test_garbage_in_the_cache_disturbs_no_command(agreed: Developer, garbage: bytes) -> None:
    agreed.run("make", "test")
    agreed.hot_file.write_bytes(garbage)
    done = agreed.run("make", "fail")
    assert (done.status, done.err.count("innerloop")) == (2, 0)
    assert agreed.recorded() == 2


def test_bytes_that_no_line_should_have_disturb_no_command(agreed: Developer) -> None:
    agreed.run("make", "test")
    whole = agreed.hot_file.read_bytes()
    for old, new in ((b"\nmode on", b"\n\xff\xff on"), (b"until ", b"until x y"), (b"\np test", b"\np \xff"), (b"\nf ", b"\nf \0")):
        assert old in whole
        agreed.hot_file.write_bytes(whole.replace(old, new, 1))
        done = agreed.run("make", "fail")
        assert (done.status, done.err.count("Traceback")) == (2, 0)


@pytest.mark.parametrize("mode", [0o620, 0o604, 0o777])
def test_a_cache_that_others_may_read_or_write_is_not_believed(left: Developer, server: Recorder, mode: int) -> None:
    agreed_again(left)
    left.hot_file.chmod(mode)
    serial_of_somebody_else(left)
    left.run("make", "test")
    assert b"serial 0000" not in b"".join(path.read_bytes() for path in left.place("new") + left.place("run"))


def agreed_again(developer: Developer) -> None:
    developer.opt_in("yes")
    developer.run("make", "test")


def serial_of_somebody_else(developer: Developer) -> None:
    """Change a fact in the cache without changing its mode: whoever believes it writes that fact into a record."""
    mode = developer.hot_file.stat().st_mode
    serial = developer.consent["serial"].encode()
    developer.hot_file.write_bytes(developer.hot_file.read_bytes().replace(b"serial " + serial, b"serial " + b"0" * 32))
    developer.hot_file.chmod(mode)


def test_the_test_of_belief_itself_is_good(agreed: Developer) -> None:
    """A private cache with a changed fact is believed by the launcher, and what came of it never leaves."""
    agreed.run("make", "test")
    serial_of_somebody_else(agreed)
    agreed.run("make", "test")
    assert sum(b"serial 0000" in path.read_bytes() for path in agreed.place("new")) == 1
    assert len(agreed.pending()) == 1
    assert agreed.ledger()["dropped"] == {"withdrawn": 1}


def test_a_symlink_is_not_believed(agreed: Developer) -> None:
    agreed.run("make", "test")
    elsewhere = agreed.base / "elsewhere"
    serial_of_somebody_else(agreed)
    agreed.hot_file.rename(elsewhere)
    agreed.hot_file.symlink_to(elsewhere)
    agreed.run("make", "test")
    assert not [path for path in agreed.place("new") if b"serial 0000" in path.read_bytes()]


def test_a_cache_of_somebody_else_is_not_believed(root: None, agreed: Developer) -> None:
    agreed.run("make", "test")
    serial_of_somebody_else(agreed)
    os.chown(agreed.hot_file, 12345, 12345)
    agreed.run("make", "test")
    assert not [path for path in agreed.place("new") if b"serial 0000" in path.read_bytes()]


@pytest.mark.parametrize("what", ["directory", "fifo"])
def test_something_else_in_the_caches_place_disturbs_no_command(agreed: Developer, what: str) -> None:
    agreed.run("make", "test")
    agreed.hot_file.unlink()
    if what == "directory":
        agreed.hot_file.mkdir()
    else:
        os.mkfifo(agreed.hot_file, 0o600)
    assert agreed.run("make", "fail", timeout=10).status == 2


def test_the_cache_of_a_project_file_that_is_gone_is_worth_nothing(agreed: Developer) -> None:
    """A new project file may get the number of a deleted one, and so the name of its cache."""
    agreed.run("make", "test")
    cache = agreed.hot_file.read_bytes()
    agreed.project_file.unlink()
    agreed.project("other", project={"id": "other", "write_key": "other.x"}, names={"allow": ["test"]})
    agreed.hot_file.write_bytes(cache)
    agreed.hot_file.chmod(0o600)
    agreed.run("make", "test")
    assert agreed.recorded() == 1


def test_a_renamed_checkout_keeps_its_answer(agreed: Developer) -> None:
    agreed.run("make", "test")
    agreed.directory = agreed.directory.rename(agreed.base / "renamed")
    agreed.run("make", "test")
    agreed.run("make", "test")
    assert len(agreed.pending()) == 3


# each source newer than the cache


def touch_project(developer: Developer) -> None:
    os.utime(developer.project_file)


def replace_project(developer: Developer) -> None:
    developer.write(developer.project_file.read_text())


def touch_consent(developer: Developer) -> None:
    os.utime(developer.consent_file)


def replace_consent(developer: Developer) -> None:
    new = developer.consent_file.with_suffix(".new")
    shutil.copy(developer.consent_file, new)
    new.replace(developer.consent_file)


@pytest.mark.parametrize("change", [touch_project, replace_project, touch_consent, replace_consent])
def test_a_source_that_was_touched_loses_no_run(agreed: Developer, change: Callable[[Developer], None]) -> None:
    agreed.run("make", "test")
    change(agreed)
    agreed.run("make", "test")
    agreed.run("make", "test")
    assert len(agreed.pending()) == 3


def test_a_clone_whose_remotes_change_after_the_cache_was_written_sends_no_more(developer: Developer, server: Recorder) -> None:
    """Its git config is a source too, also the one that a worktree shares."""
    developer.edit(project={"remotes": ["example.org/shop"]})
    developer.git("init", "-q", "-b", "main")
    developer.git("remote", "add", "origin", "https://example.org/shop.git")
    developer.git("add", "-A")
    developer.git("commit", "-q", "-m", "first")
    developer.git("worktree", "add", "-q", str(developer.base / "tree"), "-b", "other")
    developer.opt_in("yes")
    trees = (developer.directory, developer.base / "tree")
    for tree in trees:
        for _ in range(2):
            developer.run("make", "test", cwd=tree)
    developer.git("remote", "set-url", "origin", "https://example.org/fork.git")
    for tree in trees:
        developer.run("make", "build", cwd=tree)
        assert developer.status(cwd=tree)["mode"] == "local"
        developer.innerloop("flush", cwd=tree)
    assert server.connections == 0
    developer.git("remote", "set-url", "origin", "git@example.org:shop")
    assert developer.flush().status == 0
    assert [event["properties"]["command"] for event in server.events] == ["test"] * 4
    assert developer.ledger()["local"] == 2


def test_a_machine_wide_file_that_is_newer_than_the_cache_is_obeyed(
    machine_file: Callable[[str], list[str]], agreed: Developer, server: Recorder
) -> None:
    """And the cache that was written under it is worth nothing where the file is gone again."""
    agreed.run("make", "test")
    for text, recorded in (('mode = "off"\n', 1), ('mode = "local"\n', 2)):
        words = machine_file(text)
        agreed.execute(*words, agreed.command, "run", "--", "true")
        assert agreed.recorded() == recorded
        agreed.execute(*words, agreed.command, "run", "--", "true")
        assert agreed.recorded() == 2 * recorded - 1
    agreed.run("make", "test")
    agreed.run("make", "test")
    assert agreed.flush().status == 0
    assert [event["properties"]["command"] for event in server.events] == ["test"] * 3


def test_another_configuration_directory_is_another_answer(agreed: Developer) -> None:
    agreed.run("make", "test")
    agreed.run("make", "test", env={"XDG_CONFIG_HOME": str(agreed.base / "other-config")})
    assert agreed.recorded() == 1


def test_another_state_directory_is_filled_under_the_same_answer(agreed: Developer) -> None:
    other = agreed.base / "other-state"
    agreed.run("make", "test", env={"XDG_STATE_HOME": str(other)})
    agreed.run_at_terminal("make", "test", env={"XDG_STATE_HOME": str(other)})
    assert agreed.recorded() == 0
    assert len(list(other.glob("innerloop/spool/*/new/*"))) == 1


def test_an_answer_that_is_gone_is_no_answer(agreed: Developer, server: Recorder) -> None:
    agreed.run("make", "test")
    agreed.consent_file.unlink()
    records_nothing(agreed, server)


def break_with_garbage(path: Path) -> None:
    path.write_text('{"consent": {"decision": tru')


def break_with_directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


def break_with_symlink(path: Path) -> None:
    path.rename(path.with_name("elsewhere.json.keep"))
    path.symlink_to(path.with_name("elsewhere.json.keep"))


def break_with_list(path: Path) -> None:
    path.write_text("[true]")


def break_with_truth(path: Path) -> None:
    path.write_text('{"anonymous_user_id": "a", "consent": true}')


BREAKAGES = [break_with_garbage, break_with_directory, break_with_symlink, break_with_list, break_with_truth]


@pytest.mark.parametrize("destroy", BREAKAGES)
def test_an_answer_that_cannot_be_believed_is_no_answer(agreed: Developer, server: Recorder, destroy: Callable[[Path], None]) -> None:
    agreed.run("make", "test")
    destroy(agreed.consent_file)
    records_nothing(agreed, server)
    assert agreed.innerloop("status").out.startswith("shop: off: nothing is recorded")


def test_an_answer_of_somebody_else_is_no_answer(root: None, agreed: Developer, server: Recorder) -> None:
    os.chown(agreed.consent_file, 12345, 12345)
    records_nothing(agreed, server)


# consent withdrawn, and files swapped, while a command runs


def started(developer: Developer) -> bool:
    return bool(developer.place("run"))


@pytest.mark.parametrize("delay", [None, 0.0, 0.4])
@pytest.mark.parametrize("how", ["opt-out", "opt-out and yes again", "local"])
def test_consent_withdrawn_while_a_command_runs(agreed: Developer, server: Recorder, how: str, delay: float | None) -> None:
    """`delay`: seconds after the start at which it is withdrawn; None: as soon as the record exists."""
    agreed.run("make", "test")
    before = agreed.recorded()
    running = agreed.start(agreed.command, "run", "--", "sleep", "1")
    if delay is None:
        assert eventually(lambda: started(agreed))
    else:
        time.sleep(delay)
    if how == "local":
        agreed.opt_in("yes", local=True)
    else:
        agreed.opt_out()
    if how == "opt-out and yes again":
        agreed.opt_in("yes")
    assert running.wait(30) == 0
    agreed.make_delivery_due()
    agreed.innerloop("deliver")
    agreed.flush()
    assert server.connections == 0
    ledger = agreed.ledger()
    assert ledger["acknowledged"] == ledger["queued"] == ledger["unfinished"] == 0
    if agreed.recorded() > before:
        assert ledger["dropped"].get("withdrawn", 0) + ledger["local"] == ledger["recorded"]


def test_a_touch_of_the_answer_while_a_command_runs_loses_no_run(agreed: Developer) -> None:
    agreed.run("make", "test")
    running = agreed.start(agreed.command, "run", "--", "sleep", "0.5")
    assert eventually(lambda: started(agreed))
    touch_consent(agreed)
    replace_consent(agreed)
    assert running.wait(30) == 0
    assert len(agreed.pending()) == 2


@pytest.mark.parametrize("change", ["a new field", "another host", "malformed", "gone", "directory gone"])
def test_a_project_file_swapped_while_a_command_runs(agreed: Developer, server: Recorder, change: str) -> None:
    agreed.run("make", "test")
    running = agreed.start(agreed.command, "run", "--", "sleep", "0.5")
    assert eventually(lambda: started(agreed))
    if change == "a new field":
        agreed.edit(fields={"git_commit_time": True})
    elif change == "another host":
        agreed.edit(project={"endpoint": "http://127.0.0.1:9"})
    elif change == "malformed":
        agreed.write("[project\n")
    elif change == "gone":
        agreed.project_file.unlink()
    else:
        shutil.rmtree(agreed.directory)
    assert running.wait(30) == 0
    if change == "directory gone":
        agreed.directory.mkdir()
    (spool,) = (agreed.state / "spool").iterdir()
    os.utime(spool / "next", (0, 0))
    agreed.innerloop("deliver")
    agreed.flush()
    assert server.connections == 0


def test_a_launcher_that_is_told_to_end_ends_its_command_and_records_it(agreed: Developer) -> None:
    agreed.run("make", "test")
    running = agreed.start(agreed.command, "run", "--", "sleep", "20")
    assert eventually(lambda: started(agreed))
    running.send_signal(signal.SIGTERM)
    assert running.wait(10) == -signal.SIGTERM
    assert sorted(event["properties"]["exit_status"] for event in agreed.pending()) == [-15, 0]


def test_the_cache_holds_no_id(agreed: Developer) -> None:
    agreed.run("make", "test")
    document = json.loads(agreed.consent_file.read_text())
    for path in (agreed.state / "hot").iterdir():
        assert document["anonymous_user_id"].encode() not in path.read_bytes()
        assert document["consent"]["secret"].encode() not in path.read_bytes()
        assert path.stat().st_mode & 0o777 == 0o600


def test_everything_that_is_kept_is_for_its_owner_alone(agreed: Developer) -> None:
    agreed.execute("sh", "-c", "umask 000; innerloop run -- make test; innerloop flush; innerloop run -- make test")
    agreed.pending()
    for top in (agreed.state, agreed.config):
        for path in (top, *top.rglob("*")):
            assert path.stat().st_mode & 0o077 == 0, path


def test_a_cache_with_a_bad_byte_is_written_again(agreed: Developer) -> None:
    agreed.run("make", "test")
    agreed.hot_file.write_bytes(agreed.hot_file.read_bytes().replace(b"\np test", b"\np te\xfft", 1))
    assert agreed.innerloop("doctor").status == 0
    for _ in range(2):
        agreed.run("make", "test")
    assert agreed.recorded() == 3
    assert b"\np test\n" in agreed.hot_file.read_bytes()
