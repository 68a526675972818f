"""A channel is told of each confirmed alert once, whatever happens to it, to the collector or to another channel."""

import itertools
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

import pytest

from innerloop_collector.admin.checks import of_the_channels
from innerloop_collector.config.configuration import Channel
from innerloop_collector.exporters.failures import Refusing, SendError, Unavailable
from innerloop_collector.notifications.channel_state import ChannelStates
from innerloop_collector.notifications.channel_worker import ChannelWorker
from innerloop_collector.notifications.mail import Mail
from innerloop_collector.notifications.post import post
from innerloop_collector.query.alerts.alert_documents import Fate
from tests.destinations.receivers import Answer, Receiver, Request, wait_until
from tests.notifications.support import NOW, SECRET, Published, documents, verified

QUICK = {"first_pause_seconds": 0.02, "longest_pause_seconds": 0.05, "timeout_seconds": 3.0}


def webhook(receiver: Receiver, path: Path, **keys: object) -> Channel:
    """A channel that leads to a receiver."""
    secret = path / "secret"
    secret.write_text(f"whsec_{SECRET}\n")
    return Channel(**{"kind": "webhook", "url": receiver.url, "key_file": str(secret), "sends": ("alerts",), **QUICK, **keys})


def names(receiver: Receiver) -> list[str]:
    """What a receiver was told of."""
    return [verified(request)["data"]["alert"]["name"] for request in receiver.requests]


def begun(worker: ChannelWorker) -> ChannelWorker:
    """Wait until a channel has begun."""
    wait_until(lambda: worker.state is not None)
    return worker


@pytest.fixture
def published() -> Published:
    return Published()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "notifications.json"


def test_only_what_was_confirmed_is_told_and_each_once(published: Published, receiver: Receiver, file: Path) -> None:
    settings = webhook(receiver, file.parent)
    published.confirm("before the channel was there")
    with published.worker(file, settings) as worker:
        begun(worker)
        day = NOW.date() - timedelta(days=4)
        published.add(*documents("open", day, Fate.OPEN), *documents("gone", day - timedelta(days=1), Fate.OPEN, Fate.GONE))
        published.add(*documents("creep", day - timedelta(days=2), Fate.CREEP))
        published.confirm("build")
        worker.wake()
        receiver.wait_for(lambda it: len(it.requests) == 1)
        worker.wake()
    with published.worker(file, settings) as worker:
        published.confirm("lint", ago=1)
        worker.wake()
        receiver.wait_for(lambda it: len(it.requests) == 2)

    assert ["build", "lint"] == names(receiver)
    told = verified(receiver.requests[0])
    assert ("alert.confirmed", "confirmed", [35, 39]) == (told["type"], told["data"]["alert"]["fate"], told["data"]["alert"]["developers"])
    (said,) = told["data"]["parts"]
    assert "build of acme became about 20% slower around 2026-11-15 (10% to 35%; 35 to 39 developers): confirmed" in said["sentences"][0]
    assert ["https://il.example.org/p/acme/commands/build"] == [link["url"] for link in said["links"]]


def test_a_channel_that_fails_keeps_its_notices_and_delays_no_other(
    published: Published, new_receiver: Callable[[], Receiver], file: Path
) -> None:
    well, broken = new_receiver(), new_receiver()
    broken.say = broken.hang
    with (
        published.worker(file, webhook(well, file.parent)) as one,
        published.worker(file.with_name("other"), webhook(broken, file.parent)) as other,
    ):
        begun(one), begun(other)
        for number in range(3):
            published.confirm(f"build-{number}", ago=3 + number)
        for each in (other, one):
            each.wake()
        well.wait_for(lambda it: len(it.requests) == 3)
        wait_until(lambda: other.progress.last_error)
        assert ("no answer: timed out after 3 s", 3, 0) == (other.progress.last_error, other.progress.waiting, other.state.sent)
        broken.say = lambda _: Answer(204)
        broken.released.set()
        broken.wait_for(lambda it: len(it.requests) == 3)
        wait_until(lambda: other.progress.last_error is None)
    assert ["build-2", "build-1", "build-0"] == names(well) == names(broken), "the oldest first"


def test_who_is_killed_before_it_noted_a_notice_sends_it_again_with_the_same_id(
    published: Published, receiver: Receiver, file: Path
) -> None:
    settings = webhook(receiver, file.parent)
    tried: list[Request] = []

    def lose(request: Request) -> Answer:
        tried.append(request)
        return Answer(503)

    receiver.say = lose
    with published.worker(file, settings) as worker:
        begun(worker)
        published.confirm("build")
        worker.wake()
        wait_until(lambda: len(tried) >= 2)
    receiver.say = lambda _: Answer()
    with published.worker(file, settings):
        receiver.wait_for(lambda it: len(it.requests) == 1)

    assert 1 == len({request.headers["webhook-id"] for request in [*tried, *receiver.requests]})
    assert ["build"] == names(receiver)


def test_what_cannot_be_noted_is_not_sent_again_by_the_same_process(published: Published, receiver: Receiver, file: Path) -> None:
    with published.worker(file, webhook(receiver, file.parent)) as worker:
        begun(worker)
        in_the_way = file.with_name("notifications.json.new")
        in_the_way.mkdir()
        published.confirm("build")
        worker.wake()
        wait_until(lambda: worker.backoff.failures > 2)
        assert "the notice could not be made or noted: IsADirectoryError" == worker.progress.last_error
        in_the_way.rmdir()
        wait_until(lambda: worker.state.sent == 1)

    assert ["build"] == names(receiver)


def test_what_a_channel_does_not_take_holds_up_nothing_and_is_left_out_in_the_end(
    published: Published, receiver: Receiver, file: Path
) -> None:
    receiver.say = lambda request: Answer(400 if b"poison" in request.body else 200)
    with published.worker(file, webhook(receiver, file.parent)) as worker:
        begun(worker)
        published.confirm("poison", ago=4)
        published.confirm("build", ago=3)
        worker.wake()
        wait_until(lambda: worker.state.left_out)
        wait_until(lambda: worker.progress.last_error is None)

    assert (["build"], 1, 1, 0) == (names(receiver), worker.state.sent, worker.state.left_out, worker.progress.waiting)


def test_a_channel_that_takes_nothing_loses_nothing(published: Published, receiver: Receiver, file: Path) -> None:
    receiver.say = lambda _: Answer(400)
    with published.worker(file, webhook(receiver, file.parent)) as worker:
        begun(worker)
        published.confirm("build")
        worker.wake()
        wait_until(lambda: worker.backoff.failures > 10)
        receiver.say = lambda _: Answer()
        receiver.wait_for(lambda it: len(it.requests) == 1)
        wait_until(lambda: worker.state.sent == 1)

    assert (["build"], 0) == (names(receiver), worker.state.left_out)


def test_what_waits_is_bounded_in_number_and_in_days(published: Published, receiver: Receiver, file: Path) -> None:
    receiver.say = lambda _: Answer(500)
    settings = webhook(receiver, file.parent, most_waiting=2)
    with published.worker(file, settings) as worker:
        begun(worker)
        published.confirm("of long ago", ago=29)
        for number in range(4):
            published.confirm(f"build-{number}", ago=3 + number)
        worker.wake()
        wait_until(lambda: worker.state.left_out == 3)
        receiver.say = lambda _: Answer()
        receiver.wait_for(lambda it: len(it.requests) == 2)

    assert ["build-1", "build-0"] == names(receiver)


def test_a_channel_is_told_of_its_own_projects_only(receiver: Receiver, file: Path) -> None:
    published = Published("acme", "other", "third")
    published.recipients = {"acme": frozenset({"Slack"}), "third": frozenset({"Slack"})}
    settings = webhook(receiver, file.parent, projects=("acme", "other"), recipient="Slack")
    with published.worker(file, settings) as worker:
        begun(worker)
        for project in ("other", "third", "acme"):
            published.confirm("build", project=project)
        worker.wake()
        receiver.wait_for(lambda it: len(it.requests) == 1)
        worker.wake()
        wait_until(lambda: worker.progress.waiting == 0)

    assert ["acme"] == [verified(one)["data"]["alert"]["project"] for one in receiver.requests]


def test_a_secret_is_read_anew_for_each_notice_and_two_sign_while_it_is_changed(
    published: Published, receiver: Receiver, file: Path
) -> None:
    settings = webhook(receiver, file.parent)
    new = SECRET[::-1].strip("=") + "="
    with published.worker(file, settings) as worker:
        begun(worker)
        Path(settings.key_file).unlink()
        published.confirm("build")
        worker.wake()
        wait_until(lambda: worker.progress.last_error)
        assert "key_file cannot be read: No such file or directory" == worker.progress.last_error
        Path(settings.key_file).write_text(f"whsec_{new}\nwhsec_{SECRET}\n")
        receiver.wait_for(lambda it: len(it.requests) == 1)

    assert verified(receiver.requests[0], new) == verified(receiver.requests[0], SECRET)


def test_a_file_that_is_damaged_begins_anew_and_tells_nothing_twice(published: Published, receiver: Receiver, file: Path) -> None:
    file.write_bytes(b'{"one": 3')
    published.confirm("build")
    with published.worker(file, webhook(receiver, file.parent)) as worker:
        begun(worker)
        published.confirm("lint", ago=1)
        worker.wake()
        receiver.wait_for(lambda it: len(it.requests) == 1)
    assert ["lint"] == names(receiver)
    assert {"one": 1} == {name: ChannelStates(file).get(name).sent for name in ("one",)}


def noted(file: Path) -> dict[str, object]:
    """What is on the disk of the one channel."""
    found: dict[str, object] = json.loads(file.read_bytes())["one"]
    return found


@pytest.mark.parametrize("new", ["a recipient", "a project", "alerts"])
def test_what_is_new_to_a_channel_is_told_from_then_on(published: Published, receiver: Receiver, file: Path, new: str) -> None:
    published.projects.names = ("acme", "other")
    published.recipients = {"acme": frozenset({"Slack"})}
    keys = {"recipient": "Slack"} if new == "a recipient" else {"projects": ("acme",)} if new == "a project" else {}
    before = webhook(receiver, file.parent, **{**keys, **({"sends": ("digest",)} if new == "alerts" else {})})
    after = webhook(receiver, file.parent, **({} if new == "a project" else keys))
    with published.worker(file, before) as worker:
        begun(worker)
    published.confirm("earlier", project="other")
    published.recipients["other"] = frozenset({"Slack"})
    with published.worker(file, after) as worker:
        wait_until(lambda: ["acme", "other"] == noted(file)["projects"] and ["alerts"] == noted(file)["sends"])
        published.confirm("later", ago=1, project="other")
        worker.wake()
        receiver.wait_for(lambda it: len(it.requests) == 1)
        wait_until(lambda: worker.state.sent == 1)

    assert (["later"], 0) == (names(receiver), worker.state.left_out)


def test_a_digest_that_is_new_to_a_channel_comes_from_the_next_day_of_digests_on(
    published: Published, receiver: Receiver, file: Path
) -> None:
    with published.worker(file, webhook(receiver, file.parent)) as worker:
        begun(worker)
    published.projects.names = ()
    published.now = NOW + timedelta(days=14)
    settings = webhook(receiver, file.parent, sends=("alerts", "digest"))
    with published.worker(file, settings) as worker:
        wait_until(lambda: noted(file)["digest"] == "2026-12-14")
        published.now = NOW + timedelta(days=21)
        worker.wake()
        receiver.wait_for(lambda it: len(it.requests) == 1)

    assert "2026-12-14" == verified(receiver.requests[0])["data"]["first"]


def test_a_file_of_an_earlier_version_keeps_what_waits(published: Published, receiver: Receiver, file: Path) -> None:
    file.write_bytes(b'{"one":{"digest":"2026-11-30","settled":{},"sent":3,"left_out":2}}')
    published.confirm("build")
    with published.worker(file, webhook(receiver, file.parent)) as worker:
        receiver.wait_for(lambda it: len(it.requests) == 1)
        wait_until(lambda: worker.state.sent == 4)

    assert (["build"], ["acme"], ["alerts"]) == (names(receiver), noted(file)["projects"], noted(file)["sends"])


def test_a_project_that_cannot_be_read_silences_no_other_and_is_named(published: Published, receiver: Receiver, file: Path) -> None:
    published.projects.names = ("acme", "other")
    with published.worker(file, webhook(receiver, file.parent)) as worker:
        begun(worker)
        published.shelf.damaged = {"acme"}
        published.confirm("hidden", project="acme")
        published.confirm("build", project="other")
        worker.wake()
        receiver.wait_for(lambda it: len(it.requests) == 1)
        wait_until(lambda: worker.state.sent == 1)
        assert (["build"], ["acme"]) == (names(receiver), list(worker.progress.unreadable))
        assert "alerts of acme cannot be read" in worker.progress.unreadable["acme"]
        published.shelf.damaged = set()
        worker.wake()
        receiver.wait_for(lambda it: len(it.requests) == 2)

    assert (["build", "hidden"], {}) == (names(receiver), worker.progress.unreadable)


def test_a_project_that_can_be_read_only_later_is_told_of_from_then_on(published: Published, receiver: Receiver, file: Path) -> None:
    published.shelf.damaged = {"acme"}
    published.confirm("earlier")
    with published.worker(file, webhook(receiver, file.parent)) as worker:
        begun(worker)
        published.shelf.damaged = set()
        worker.wake()
        wait_until(lambda: ["acme"] == noted(file)["projects"])
        published.confirm("later", ago=1)
        worker.wake()
        receiver.wait_for(lambda it: len(it.requests) == 1)

    assert ["later"] == names(receiver)


def test_a_clock_that_is_in_doubt_makes_nothing_too_old(published: Published, receiver: Receiver, file: Path) -> None:
    receiver.say = lambda _: Answer(500)
    with published.worker(file, webhook(receiver, file.parent)) as worker:
        begun(worker)
        published.confirm("build")
        published.doubted, published.now = NOW, NOW + timedelta(days=60)
        worker.wake()
        wait_until(lambda: worker.backoff.failures > 2)
        receiver.say = lambda _: Answer()
        receiver.wait_for(lambda it: len(it.requests) == 1)
        wait_until(lambda: worker.state.sent == 1)

    assert (["build"], 0, None) == (names(receiver), worker.state.left_out, worker.state.left_out_on)


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"projects": ("acme", "amce")}, ["is to be told of the project 'amce', and there is none of that name"]),
        ({"recipient": "Slak"}, ["has the recipient 'Slak', which no project's newest file names, so it is told nothing"]),
        (
            {"projects": ("other",), "recipient": "Slack"},
            ["has the recipient 'Slack', which the newest file of none of other names, so it is told nothing"],
        ),
        ({"projects": ("acme",), "recipient": "Slack"}, []),
        ({"recipient": "Slack"}, []),
    ],
)
def test_a_name_in_a_channels_section_that_nothing_has_is_said(keys: dict[str, object], words: list[str]) -> None:
    published = Published("acme", "other")
    published.recipients = {"acme": frozenset({"Slack"})}

    assert words == published.notices.mismatches(Channel(kind="webhook", **keys))


def channel_said(**keys: object) -> dict[str, object]:
    """What `notifications status` says of a channel that is well."""
    well = {"channel": "one", "state": "well", "waiting": 0, "complaint": None, "left_out": 0, "last_left_out": None, "misses": []}
    return {**well, **keys}


def test_check_finds_what_a_channel_misses_and_notes_what_was_left_out_of_late() -> None:
    said = [
        channel_said(misses=["is to be told of the project 'amce', and there is none of that name"]),
        channel_said(left_out=3, last_left_out="2026-11-03"),
        channel_said(left_out=3, last_left_out="2026-11-02"),
        channel_said(left_out=3),
    ]
    missed, left_out = of_the_channels(said, NOW.date())

    assert (False, True) == (missed.note, left_out.note)
    assert missed.text.startswith("the channel one is to be told of the project 'amce', and there is none of that name; see: ")
    assert left_out.text.startswith("the channel one was not told of 3 notices, the last on 2026-11-03: ")


def test_a_digest_is_due_on_its_day_from_its_hour_on(published: Published) -> None:
    due = {day: published.notices.due(NOW.replace(month=11, day=day, hour=hour)) for day, hour in ((29, 12), (30, 7))}

    assert {29: date(2026, 11, 23), 30: date(2026, 11, 30)} == due
    assert date(2026, 11, 23) == published.notices.due(NOW.replace(month=11, day=30, hour=6, minute=59))


def test_the_digest_comes_once_a_week_and_tells_of_what_came_since_the_last_one(
    published: Published, receiver: Receiver, file: Path
) -> None:
    published.projects.names = ()
    published.now = NOW - timedelta(days=2)  # a Sunday
    settings = webhook(receiver, file.parent, sends=("digest",))
    with published.worker(file, settings) as worker:
        begun(worker)
        published.now = NOW
        worker.wake()
        receiver.wait_for(lambda it: len(it.requests) == 1)
        worker.wake()
    with published.worker(file, settings):
        pass
    published.now = NOW + timedelta(days=14)
    with published.worker(file, settings):
        receiver.wait_for(lambda it: len(it.requests) == 2)

    told = [verified(one)["data"] for one in receiver.requests]
    assert [("2026-11-23", "2026-11-29"), ("2026-11-30", "2026-12-13")] == [(one["first"], one["last"]) for one in told]
    assert 2 == len({one.headers["webhook-id"] for one in receiver.requests})


def test_a_digest_that_a_wrong_clock_sent_ahead_of_time_does_not_end_all_digests(
    published: Published, receiver: Receiver, file: Path
) -> None:
    published.projects.names = ()
    settings = webhook(receiver, file.parent, sends=("digest",))
    published.now = NOW + timedelta(days=400)
    with published.worker(file, settings) as worker:
        begun(worker)
    published.now = NOW
    with published.worker(file, settings):
        receiver.wait_for(lambda it: len(it.requests) == 1)

    assert ("2026-11-23", "2026-11-29") == tuple(verified(receiver.requests[0])["data"][name] for name in ("first", "last"))


ANSWERS: dict[str, tuple[bytes, type[SendError], str]] = {
    "a redirect": (
        b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
        Refusing,
        "a redirect, which is not followed",
    ),
    "a wrong key": (b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", Refusing, "it answered 403"),
    "busy": (b"HTTP/1.1 429 Slow\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n", Unavailable, "it answered 429"),
    "no HTTP": (b"220 mail.example.org ESMTP\r\n", Unavailable, "no answer"),
    "headers without end": (b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 20_000, Unavailable, "no answer"),
}


@contextmanager
def server(say: Callable[[socket.socket], None]) -> Iterator[int]:
    """Something on the loopback interface that takes one connection after the other. Its port."""
    listener = socket.create_server(("127.0.0.1", 0))
    ended = threading.Event()

    def serve() -> None:
        while not ended.is_set():
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                try:
                    say(connection)
                except OSError:
                    pass

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        ended.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(10)


@pytest.mark.parametrize("answer", ANSWERS)
def test_what_an_address_answers_is_judged_by_its_status_and_repeated_by_nobody(answer: str) -> None:
    said, kind, words = ANSWERS[answer]

    def say(connection: socket.socket) -> None:
        connection.recv(65_536)
        connection.sendall(said)

    with server(say) as port, pytest.raises(SendError) as failed:
        post(f"http://127.0.0.1:{port}/", b"{}", {}, 3.0)
    assert (kind, True) == (type(failed.value), words in failed.value.reason), failed.value.reason
    assert (7.0 if answer == "busy" else 0.0) == failed.value.wait


def test_an_answer_without_end_is_taken_by_its_status() -> None:
    """A content that never ends, and one that comes a byte a second, are not read."""

    def say(connection: socket.socket) -> None:
        connection.recv(65_536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\nok")
        connection.recv(1)  # until the other end leaves

    with server(say) as port:
        began = time.monotonic()
        post(f"http://127.0.0.1:{port}/", b"{}", {}, 10.0)
    assert time.monotonic() - began < 5


HOSTILE = {
    "says nothing": (lambda _: time.sleep(1.5), "timed out after 1 s"),
    "greets without end": (lambda connection: [connection.sendall(b"220-more\r\n" * 2_000) for _ in itertools.count()], "message too long"),
    "greets a byte at a time": (lambda connection: [connection.sendall(b"2") or time.sleep(0.1) for _ in range(20)], "timed out after 1 s"),
    "speaks HTTP": (lambda connection: connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n"), "it does not speak SMTP"),
    "has no TLS": (lambda connection: [connection.sendall(b"220 hi\r\n"), connection.recv(999), connection.sendall(b"250 hi\r\n"), connection.recv(9)], "no TLS"),
    "is busy": (lambda connection: connection.sendall(b"421 <all@example.org> come again\r\n"), "it answered 421"),
}  # fmt: skip


@pytest.mark.parametrize("behaviour", HOSTILE)
def test_a_mail_server_that_is_anybody_is_left_in_time_and_repeated_by_nobody(behaviour: str, published: Published) -> None:
    say, words = HOSTILE[behaviour]
    with server(say) as port:
        began = time.monotonic()
        settings = Channel(kind="email", host="127.0.0.1", port=port, sender="a@example.org", to=("b@example.org",), timeout_seconds=1.0)
        with pytest.raises(SendError) as failed:
            Mail(settings, "").send(published.notices.test("one", NOW))
        assert time.monotonic() - began < 4
    assert words in failed.value.reason, failed.value.reason
    assert "example" not in failed.value.reason
