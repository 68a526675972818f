"""Leaving, and what forbids recording: by an answer, by the environment, by a machine, by a change (C8, C15 to C19, C27, C29, C50)."""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.client.people import Developer, Said, eventually
from tests.client.recorder import HOLD, Recorder, Reply, Request
from tests.requirements.support import bare, senders


def test_c08_leaving_sends_nothing(strace: str, queued: Developer, server: Recorder) -> None:
    """With runs that wait and a delivery that is due: no socket, no sender, and none afterwards."""
    ended, calls = queued.strace(queued.command, "opt-out", terminal=False)
    assert 0 == ended.status
    queued.make_delivery_due()
    queued.run("make", "test")
    queued.innerloop("deliver")
    queued.flush()

    assert not [line for line in calls.splitlines() if "socket(" in line or "connect(" in line or '"deliver"' in line]
    assert 0 == server.connections


def test_c08_leaving_works_and_is_silent_without_any_network(namespace: Callable[..., list[str]], strace: str, queued: Developer) -> None:
    words = [*namespace("net"), strace, "-f", "-qq", "-o", str(queued.base / "trace"), "-e", "trace=%network", str(queued.command)]

    assert 0 == queued.execute(*words, "opt-out").status
    assert "no" == queued.status()["mode"]
    assert "" == (queued.base / "trace").read_text()


MEANS_NO = ["1", "true", "yes", "please", " "]
MEANS_NOTHING = ["", "0", "false", "no", "False", "NO"]


def test_c15_do_not_track_beats_a_yes_and_status_says_so(queued: Developer, server: Recorder) -> None:
    before = queued.recorded()
    for value in MEANS_NO:
        env: dict[str, str | None] = {"DO_NOT_TRACK": value}
        queued.run("make", "test", env=env)
        queued.innerloop("deliver", env=env)
        assert (before, 0) == (queued.recorded(), server.connections), ascii(value)
        status = queued.innerloop("status", env=env).out
        assert status.startswith("shop: off: nothing is recorded\n  because   DO_NOT_TRACK is set\n"), ascii(value)
        assert 1 == queued.flush(env=env).status, ascii(value)


def test_c15_do_not_track_without_a_meaning_changes_nothing(agreed: Developer) -> None:
    for number, value in enumerate(MEANS_NOTHING, 1):
        agreed.run("make", "test", env={"DO_NOT_TRACK": value})
        assert number == agreed.recorded(), ascii(value)


def test_c15_where_tracking_is_refused_nobody_is_asked(developer: Developer) -> None:
    for _ in range(3):
        assert "" == developer.run_at_terminal("make", "test", env={"DO_NOT_TRACK": "1"}).text
    assert {} == developer.files()


def decline_by_hand(developer: Developer) -> None:
    """Edit the answer with an editor, as somebody may who distrusts our commands."""
    document = json.loads(developer.consent_file.read_text())
    document["consent"]["decision"] = False
    developer.consent_file.write_text(json.dumps(document))


def throw_the_answer_away(developer: Developer) -> None:
    developer.consent_file.unlink()


def leave(developer: Developer) -> None:
    assert developer.opt_out().status == 0


@pytest.mark.parametrize("withdraw", [leave, decline_by_hand, throw_the_answer_away])
def test_c16_a_sender_at_work_sees_that_somebody_left(queued: Developer, server: Recorder, withdraw: Callable[[Developer], None]) -> None:
    """Of several batches only the one on its way may still arrive."""
    queued.pretend_sealed(1200)
    server.will(Reply(wait=1.5))
    flushing = queued.start(queued.command, "flush")
    assert eventually(lambda: server.requests)
    withdraw(queued)
    flushing.wait(30)

    assert 1 == len(server.requests)


def test_c16_the_environments_no_reaches_the_sender(queued: Developer, server: Recorder) -> None:
    """Where the environment forbids it no command starts one; one that is started so all the same sends nothing."""
    for env in ({"DO_NOT_TRACK": "1"}, {"INNERLOOP_MODE": "off"}, {"INNERLOOP_MODE": "local"}):
        queued.make_delivery_due()
        queued.run("true", env=env)
        queued.make_delivery_due()
        assert 0 == queued.innerloop("deliver", env=env).status
    assert 0 == server.connections

    server.always(Reply(how=HOLD))
    assert eventually(lambda: not senders(queued))  # one that is still at its end would set the next time anew
    queued.make_delivery_due()
    queued.run("true", env={"DO_NOT_TRACK": "0", "INNERLOOP_CI": "0"})
    assert eventually(lambda: server.requests)
    (sender,) = senders(queued)
    assert b"DO_NOT_TRACK=0" in sender.environ.split(b"\0")


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-30])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def binary(path: Path) -> None:
    path.write_bytes(os.urandom(400))


def of_a_newer_kind(path: Path) -> None:
    """A later version may bind an answer to more: what this version cannot check does not count."""
    document = json.loads(path.read_text())
    document["consent"]["agreement"]["conditions"] = ["only on weekdays"]
    path.write_text(json.dumps(document))


def somebody_elses(path: Path) -> None:
    os.chown(path, 12345, 12345)


def a_link(path: Path) -> None:
    path.rename(path.with_name("real"))
    path.symlink_to(path.with_name("real"))


BROKEN = (truncated, empty, binary, of_a_newer_kind, somebody_elses, a_link)


@pytest.mark.parametrize("harm", BROKEN)
def test_c17_an_answer_that_cannot_be_believed_means_off_and_leaving_works(
    root: None, queued: Developer, server: Recorder, harm: Callable[[Path], None]
) -> None:
    harm(queued.consent_file)
    queued.run("make", "test")
    queued.run("make", "test")
    queued.innerloop("deliver")
    assert (3, "off", 0) == (queued.recorded(), queued.status()["mode"], server.connections)

    assert 0 == queued.opt_out().status
    assert "no" == queued.status()["mode"]
    queued.run("make", "test")
    assert (3, 0) == (queued.recorded(), server.connections)


def test_c17_a_no_survives_an_empty_state_directory_and_a_new_layer(developer: Developer) -> None:
    """A container that is built in layers keeps the configuration of one and the state of none."""
    developer.opt_in("no")
    shutil.rmtree(developer.state)
    shutil.copytree(developer.home, developer.base / "layer")
    env = {"HOME": str(developer.base / "layer")}

    assert "no" == developer.status(env=env)["mode"]
    assert "" == developer.run_at_terminal("true", env=env).text


ORDER = ("no", "local", "on")  # the more restricting first
MATRIX = """
cd "$1"; shift
for answer in on local no; do for project in ours fork; do for env in on local off; do
    test $env = on && unset INNERLOOP_MODE || export INNERLOOP_MODE=$env
    cd "$BASE/$project" && XDG_CONFIG_HOME="$BASE/config-$answer" innerloop status --json | tr -d '\\n'; echo " $env $project $answer"
done; done; done
"""


@pytest.mark.parametrize("machine", ["on", "local", "off"])
def test_c18_the_most_restricting_of_environment_machine_project_and_answer_holds(
    machine_file: Callable[[str], list[str]], developer: Developer, machine: str
) -> None:
    """All 54 combinations: what a clone without the project's remotes allows is `local`."""
    for name, remote in (("ours", "git@git.example:org/shop.git"), ("fork", "git@git.example:fork/shop.git")):
        developer.project(directory=name, project={"remotes": ["git.example/org/shop"]})
        developer.git("init", "-q")
        developer.git("remote", "add", "origin", remote)
    for answer in ("yes", "local", "no"):
        developer.opt_in(answer, env={"XDG_CONFIG_HOME": str(developer.base / f"config-{'on' if answer == 'yes' else answer}")})
    words = machine_file(f'mode = "{machine}"\n' if machine != "on" else "")
    done = developer.execute(*words, "sh", "-c", MATRIX, "sh", str(developer.base), env={"BASE": str(developer.base)}, timeout=60)
    lines = done.out.splitlines()

    assert 18 == len(lines), done
    for line in lines:
        document, env, project, answer = line.rsplit(" ", 3)
        found = json.loads(document)["mode"]
        strictest = min(
            (env, machine, {"fork": "local"}.get(project, "on"), answer), key=lambda said: ORDER.index(said.replace("off", "no"))
        )
        assert strictest == found or {strictest, found} == {"no", "off"}, (env, machine, project, answer, found)


@pytest.mark.parametrize("table", ["consent", "project"])
def test_c18_no_committed_file_can_agree_for_somebody(developer: Developer, server: Recorder, table: str) -> None:
    developer.edit(**{table: {"decision": True, "mode": "on", "consent": True, "anonymous_user_id": "x"}})
    developer.run("make", "test")
    developer.run_at_terminal("make", "test")

    assert (0, "off", 0) == (developer.recorded(), developer.status()["mode"], server.connections)


CHANGES = {
    "a new field": {"fields": {"git_commit_time": True}},
    "an exacter field": {"fields": {"duration_ms": "exact"}},
    "a new purpose": {"wording": {"purpose": "to compare people"}},
    "another destination": {"project": {"endpoint": "http://127.0.0.1:9"}},
    "a new recipient": {"recipients": [{"name": "Example Analytics", "receives": "group totals"}]},
    "kept longer": {"project": {"retention_days": 800}},
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_c19_after_a_change_there_is_silence_until_a_new_answer(queued: Developer, server: Recorder, change: str) -> None:
    queued.edit(**CHANGES[change])
    before = queued.recorded()
    for _ in range(2):
        queued.run("make", "test")
    queued.innerloop("deliver")
    queued.flush()

    assert (before, 0) == (queued.recorded(), server.connections)
    assert queued.status()["mode"] in ("paused", "off")


def test_c19_a_no_holds_whatever_changes(developer: Developer, server: Recorder) -> None:
    """One can opt out of all later questions."""
    developer.opt_in("no")
    for change in ("a new field", "a new purpose", "a new recipient", "kept longer"):
        developer.edit(**CHANGES[change])
        for _ in range(2):
            assert "" == developer.run_at_terminal("true").text, change
        assert "no" == developer.status()["mode"]
    assert (0, 0) == (developer.recorded(), server.connections)


@pytest.mark.parametrize(
    "env", [{"INNERLOOP_MODE": "off"}, {"INNERLOOP_MODE": "on"}, {"INNERLOOP_MODE": ""}, {"DO_NOT_TRACK": "1"}], ids=str
)
def test_c27_the_environment_can_switch_it_off_with_any_home(agreed: Developer, tmp_path: Path, env: dict[str, str]) -> None:
    swapped = tmp_path / "swapped"
    swapped.mkdir()
    for home in (agreed.home, swapped):
        agreed.run("make", "test", env={**env, "HOME": str(home)})
        agreed.run_at_terminal("make", "test", env={**env, "HOME": str(home)})

    assert 0 == agreed.recorded()
    assert [] == list(swapped.iterdir())


def test_c27_no_variable_can_switch_it_on(developer: Developer, server: Recorder) -> None:
    names = (
        "INNERLOOP",
        "INNERLOOP_CI",
        "INNERLOOP_CONSENT",
        "INNERLOOP_OPT_IN",
        "INNERLOOP_YES",
        "INNERLOOP_TELEMETRY",
        "TRACK",
        "INNERLOOP_TEST",
    )
    env: dict[str, str | None] = dict.fromkeys(names, "1")
    for extra in ({}, {"INNERLOOP_MODE": "local"}, {"CI": "1"}, {"DO_NOT_TRACK": "0"}):
        developer.run("make", "test", env={**env, **extra})
        refused = developer.innerloop("opt-in", env={**env, **extra}, stdin="yes\n")
        assert 1 == refused.status

    assert ({}, 0) == (developer.files(), server.connections)


def test_c29_local_is_a_state_of_its_own(developer: Developer, server: Recorder) -> None:
    """One's own figures without any upload, no id, and from there to both other states."""
    developer.opt_in("local")
    assert "local" == developer.status()["mode"]
    developer.run("make", "test")
    developer.make_delivery_due()
    developer.run("make", "test")
    (line,) = developer.innerloop("report", "--json").json["commands"]
    assert ("test", 2) == (line["name"], line["runs"])
    assert "anonymous_user_id" not in developer.consent_file.read_text()
    assert (1, 0) == (developer.flush().status, server.connections)

    developer.opt_in("yes")
    assert "on" == developer.status()["mode"]
    developer.flush()
    assert 0 == server.connections, "what was recorded for oneself stays"
    developer.opt_out()
    assert "no" == developer.status()["mode"]


def test_c50_leaving_deletes_what_waits_and_says_what_stays(queued: Developer, server: Recorder) -> None:
    assert 0 == queued.flush().status
    for _ in range(2):
        queued.run("make", "test")
    queued.pending()
    queued.run("make", "build")
    said = " ".join(queued.opt_out().err.split())

    assert "3 unsent records were deleted here. What Example Org already has is kept for 365 days." in said
    for place in ("run", "new", "sealed"):
        assert [] == queued.place(place)
    ledger = queued.ledger()
    assert (3, {"withdrawn": 3}, 0) == (ledger["acknowledged"], ledger["dropped"], ledger["queued"])
    assert 3 == len(server.events)
    assert subprocess.run(["grep", "-rl", "messageId", queued.spool / "sealed"], capture_output=True, check=False).stdout == b""


def test_c16_leaving_ends_a_sender_at_work_at_once(queued: Developer, server: Recorder) -> None:
    """Also one that waits for an answer which never comes."""
    server.always(Reply(how=HOLD))
    queued.run("true")
    assert eventually(lambda: server.requests)
    assert senders(queued)
    began = time.monotonic()
    assert 0 == queued.opt_out().status
    assert time.monotonic() - began < 5
    assert eventually(lambda: not senders(queued), 2)

    assert 1 == len(server.requests)
    assert 0 == queued.ledger()["queued"]


@pytest.mark.parametrize("value", ["off", "OFF", "Off"])
def test_c15_off_is_no_word_for_go_on(agreed: Developer, value: str) -> None:
    """DO_NOT_TRACK=off can be meant either way, so it means the safe one."""
    agreed.run("make", "test", env={"DO_NOT_TRACK": value})

    assert 0 == agreed.recorded()
    assert "because   DO_NOT_TRACK is set" in agreed.innerloop("status", env={"DO_NOT_TRACK": value}).out


def test_c50_leaving_offers_to_forget(queued: Developer, server: Recorder) -> None:
    assert 0 == queued.flush().status

    assert "innerloop forget" in queued.opt_out().err


RECEIPT = "0123456789abcdef0123456789abcdef"


def identity(developer: Developer) -> str:
    found: str = json.loads(developer.consent_file.read_text())["anonymous_user_id"]
    return found


def erasing(request: Request) -> Reply:
    """A collector that erases what it is asked to."""
    if not request.line.startswith("POST /v1/forget"):
        return Reply()
    ids = [{"userId": one["userId"], "state": "erased", "events": 1} for one in request.document["ids"]]
    return Reply(body=json.dumps({"success": True, "receipt": RECEIPT, "ids": ids, "destinations": []}).encode())


def forget(developer: Developer) -> Said:
    """Have everything erased, as a person types it."""
    return developer.at_terminal(developer.command, "forget", types=[("Type yes: ", "yes")])


def test_c47_a_new_id_when_one_likes(agreed: Developer, server: Recorder) -> None:
    agreed.run("make", "test")
    first = identity(agreed)
    assert 0 == agreed.innerloop("reset-id").status
    second = identity(agreed)
    agreed.run("make", "build")
    assert 0 == agreed.flush().status

    assert first != second
    assert "on" == agreed.status()["mode"]
    assert second in {event["userId"] for event in server.events if event["properties"]["command"] == "build"}
    assert 2 == agreed.ledger()["acknowledged"], "no run is lost"
    assert first.encode() not in b"".join(data for name, data in agreed.files().items() if "/hot/" in name)


def test_c49_forget_erases_here_and_there_and_shows_a_receipt(agreed: Developer, server: Recorder) -> None:
    """Earlier ids too, each by the secret that was made with it; afterwards nothing of it is here."""
    server.always(erasing)
    agreed.run("make", "test")
    assert 0 == agreed.flush().status
    first = identity(agreed)
    assert 0 == agreed.innerloop("reset-id").status
    second = identity(agreed)
    agreed.run("make", "build")
    agreed.pending()
    said = forget(agreed)
    (request,) = (request for request in server.requests if request.line.startswith("POST /v1/forget"))

    assert 0 == said.status, said
    assert RECEIPT in said.text
    assert {first, second} == {one["userId"] for one in request.document["ids"]}
    assert all(len(one["secret"]) == 64 for one in request.document["ids"])
    assert [] == list((agreed.state / "spool").iterdir())
    kept = subprocess.run(["grep", "-rl", "messageId", agreed.state], capture_output=True, text=True, check=False).stdout
    assert "" == kept
    assert "no" == agreed.status()["mode"]


def test_c49_a_collector_that_cannot_be_reached_is_said_and_here_it_is_gone(queued: Developer, server: Recorder) -> None:
    server.always(Reply(503))

    assert 1 == forget(queued).status
    assert [] == list((queued.state / "spool").iterdir())
    assert 0 == bare(queued).run("true").status
