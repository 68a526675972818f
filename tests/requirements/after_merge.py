"""Promises that the design makes and the client does not keep yet. pytest does not collect this file.

Each test moves into the file of its theme as soon as what it needs is there; `waiting` in requirements.toml goes with C47 and C49.
"""

import json
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.client.people import ANSWER_PROMPT, Developer, eventually
from tests.client.recorder import HOLD, Recorder, Reply, Request
from tests.requirements.support import bare, in_time, modes_below, old_runs, senders

# needs: the launcher says itself when the next delivery is due, before it starts the sender


def test_c03_thirty_commands_in_a_row_start_one_sender(queued: Developer, server: Recorder) -> None:
    """The sender needs a tenth of a second to say that it is at work; the commands meanwhile must not each start one."""
    server.always(Reply(how=HOLD))
    seen: set[int] = set()
    loop = queued.start("sh", "-c", "i=0; while [ $i -lt 30 ]; do innerloop run -- true; i=$((i+1)); done")
    while loop.poll() is None:
        seen |= {sender.pid for sender in senders(queued)}

    assert 1 == len(seen)


# needs: delivery that is bounded after weeks offline


def test_c04_after_weeks_offline_one_delivery_sends_a_bounded_part_the_oldest_first(queued: Developer, server: Recorder) -> None:
    ids = old_runs(queued, 6000)
    queued.make_delivery_due()
    assert 0 == queued.innerloop("deliver").status
    sent = [event["messageId"] for event in server.events]

    assert 500 <= len(sent) < 6000
    assert ids[: len(sent)] == sent
    ledger = queued.ledger()
    assert (len(sent), 6003 - len(sent)) == (ledger["acknowledged"], ledger["queued"])
    assert (queued.spool / "next").stat().st_mtime > time.time() + 30, "the rest follows later, not at once"


# needs: an opt-out that ends a sender at work


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


# needs: any value of DO_NOT_TRACK but empty, 0, false and no


@pytest.mark.parametrize("value", ["off", "OFF", "Off"])
def test_c15_off_is_no_word_for_go_on(agreed: Developer, value: str) -> None:
    """DO_NOT_TRACK=off can be meant either way, so it means the safe one."""
    agreed.run("make", "test", env={"DO_NOT_TRACK": value})

    assert 0 == agreed.recorded()
    assert "because   DO_NOT_TRACK is set" in agreed.innerloop("status", env={"DO_NOT_TRACK": value}).out


# needs: reasons that are true, and a look at whether the spool can be written


@pytest.mark.parametrize(("home", "reason"), [("/dev/null", "HOME is not a directory"), ("/nonexistent", "HOME does not exist")])
def test_c30_status_names_the_true_reason(agreed: Developer, home: str, reason: str) -> None:
    for words in (["status"], ["doctor"]):
        done = agreed.innerloop(*words, env={"HOME": home})
        assert (0, True) == (done.status, reason in done.out), words


def test_c30_doctor_says_that_nothing_can_be_written(namespace: Callable[..., list[str]], agreed: Developer) -> None:
    agreed.run("true")
    script = 'mount --bind "$HOME" "$HOME"; mount -o remount,bind,ro "$HOME"; exec "$@"'
    done = agreed.execute(*namespace("mount"), "sh", "-c", script, "sh", str(agreed.command), "doctor")
    (line,) = (line for line in done.out.splitlines() if line[4:].startswith("spool"))

    assert line.startswith("NO ")
    assert "cannot be written" in line


# needs: parents of our directories that are made by us and private (XDG Base Directory Specification: 0700)


def test_c32_directories_above_ours_are_born_private_too(developer: Developer) -> None:
    assert 0 == developer.at_terminal("sh", "-c", "umask 000; innerloop opt-in", types=[(ANSWER_PROMPT, "yes")]).status

    assert {str(developer.home)} >= set(modes_below(developer.home))


# needs: a launcher that a hung home cannot hold up


@pytest.mark.parametrize(
    "where", [".local/state/innerloop", ".local/state", ".config", ""], ids=["our state", "state", "configuration", "home"]
)
def test_c34_a_home_that_hangs_holds_up_no_command(hung: Callable[[Path], list[str]], agreed: Developer, where: str) -> None:
    agreed.run("true")
    script = ("sh", "-c", "echo out; echo err >&2; exit 7")
    ended = in_time(lambda: agreed.execute(*hung(agreed.home / where), str(agreed.command), "run", "--", *script, timeout=10))

    assert (7, "out\n", "err\n") == ended


# needs: a limit on how much one delivery may set aside


def test_c38_a_collector_that_refuses_everything_empties_no_queue(queued: Developer, server: Recorder) -> None:
    """A proxy in between, or a mistake over there, answers 400 to every request: that says nothing about 303 events."""
    queued.pretend_sealed(300)
    server.always(Reply(400))
    assert 1 == queued.flush().status

    assert len(server.requests) <= 40
    assert queued.ledger()["quarantined"] <= 20


# needs: `innerloop init --container` and in_container at the time of the run


def test_c45_what_is_shared_with_a_container_is_printed_and_nothing_is_written(agreed: Developer) -> None:
    before = agreed.files()
    done = agreed.innerloop("init", "--container")

    assert 0 == done.status
    assert str(agreed.state) in done.out
    assert str(agreed.config) in done.out
    assert "/run/innerloop/state" in done.out
    assert before == agreed.files()


def test_c45_where_a_run_was_is_noted_when_it_runs(namespace: Callable[..., list[str]], agreed: Developer) -> None:
    """Not where it is sealed: the queue may be shared."""
    words = [*namespace("mount"), "sh", "-c", 'mount -t tmpfs tmpfs /run && touch /run/.containerenv && exec "$@"', "sh"]
    assert 0 == agreed.execute(*words, str(agreed.command), "run", "--", "make", "test").status
    agreed.run("make", "build")

    assert {"test": True, "build": False} == {one["properties"]["command"]: one["properties"]["in_container"] for one in agreed.pending()}


# needs: `reset-id`


def identity(developer: Developer) -> str:
    found: str = json.loads(developer.consent_file.read_text())["anonymous_user_id"]
    return found


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


# needs: `forget`, and the collector's route for it

RECEIPT = "0123456789abcdef0123456789abcdef"


def erasing(request: Request) -> Reply:
    """A collector that erases what it is asked to."""
    if not request.line.startswith("POST /v1/forget"):
        return Reply()
    ids = [{"userId": one["userId"], "state": "erased", "events": 1} for one in request.document["ids"]]
    return Reply(body=json.dumps({"success": True, "receipt": RECEIPT, "ids": ids, "destinations": []}).encode())


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
    done = agreed.innerloop("forget")
    (request,) = (request for request in server.requests if request.line.startswith("POST /v1/forget"))

    assert 0 == done.status, done
    assert RECEIPT in done.out + done.err
    assert {first, second} == {one["userId"] for one in request.document["ids"]}
    assert all(len(one["secret"]) == 64 for one in request.document["ids"])
    assert [] == [*agreed.place("sealed"), *agreed.place("sent"), *agreed.place("new")]
    kept = subprocess.run(["grep", "-rl", "messageId", agreed.state], capture_output=True, text=True, check=False).stdout
    assert "" == kept
    assert "off" == agreed.status()["mode"] or "no" == agreed.status()["mode"]


def test_c49_a_collector_that_cannot_be_reached_is_said_and_here_it_is_gone(queued: Developer, server: Recorder) -> None:
    server.always(Reply(503))
    done = queued.innerloop("forget")

    assert 1 == done.status
    assert [] == [*queued.place("sealed"), *queued.place("sent")]
    assert 0 == bare(queued).run("true").status


def test_c50_leaving_offers_to_forget(queued: Developer, server: Recorder) -> None:
    assert 0 == queued.flush().status

    assert "innerloop forget" in queued.opt_out().err
