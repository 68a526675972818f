"""An event is stored once, however often and however it is sent."""

import json
import socket
import struct
import time
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest

from tests.collector.support import KEY, Collector, Event, run_event


def test_twice_in_one_batch(collector: Collector) -> None:
    event = run_event()
    collector.send(event, run_event(), event)

    assert 2 == collector.stored


def test_again_and_again_with_another_sent_at(collector: Collector) -> None:
    event = run_event()
    for second in range(3):
        collector.send(event, sent_at=(datetime.now(UTC) + timedelta(seconds=second)).isoformat())

    assert 1 == collector.stored


def test_by_many_at_the_same_time(collector: Collector) -> None:
    batch = [run_event() for _ in range(50)]
    with ThreadPoolExecutor(12) as threads:
        list(threads.map(lambda _: collector.send(*batch), range(40)))

    assert 50 == collector.stored


def test_with_another_time_in_it(collector: Collector) -> None:
    """The message id alone decides, also where the month, and so the part of the store, is another one."""
    event = run_event()
    collector.send(event)
    collector.send(run_event(message=event["messageId"], ago=timedelta(days=70)))

    assert 1 == collector.stored


def test_after_a_restart(collector: Collector) -> None:
    event = run_event()
    collector.send(event)
    collector.stop()
    collector.start()
    collector.send(event)

    assert 1 == collector.stored


@pytest.mark.slow
def test_after_the_engine_has_merged_its_parts(collector: Collector) -> None:
    events = [run_event(ago=timedelta(days=40 * (number % 2))) for number in range(40)]
    for event in events:
        collector.send(event)
    collector.stop()
    collector.rows("OPTIMIZE TABLE events FINAL")
    assert [[2]] == collector.rows("SELECT count() FROM system.parts WHERE table = 'events' AND active")
    collector.start()
    collector.send(*events)

    assert 40 == collector.stored


def test_after_a_rotation_of_the_key(collector: Collector) -> None:
    event = run_event()
    collector.send(event)
    old = collector.ask("keys", "list")["keys"][0]["id"]
    new = collector.cli("keys", "create", "acme").stdout.strip()
    collector.send(event, key=new)
    assert 0 == collector.cli("keys", "revoke", old).returncode
    collector.send(event, key=new)

    assert 1 == collector.stored


def test_when_the_answer_was_cut_off_after_the_commit(collector: Collector) -> None:
    event = run_event()
    _send_and_hang_up(collector, event)
    deadline = time.monotonic() + 10
    while collector.stored == 0 and time.monotonic() < deadline:
        pass
    assert 1 == collector.stored

    collector.send(event)

    assert 1 == collector.stored


def _send_and_hang_up(collector: Collector, event: Event) -> None:
    """Send a whole request and reset the connection without reading the answer."""
    body = json.dumps({"batch": [event]}).encode()
    address = urlsplit(collector.url)
    head = f"POST /v1/batch HTTP/1.1\r\nHost: x\r\nAuthorization: Basic {b64encode(f'{KEY}:'.encode()).decode()}\r\nContent-Length: {len(body)}\r\n\r\n"
    with socket.create_connection((address.hostname, address.port)) as connection:
        connection.sendall(head.encode() + body)
        time.sleep(0.01)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def test_any_string_is_an_id_and_projects_do_not_share_them(collector: Collector) -> None:
    ids = ["node-next-1700000000000-x", "ü" * 99, "a b/c", "1"]
    collector.send(*(run_event(message=one) for one in ids))
    collector.send(*(run_event(message=one) for one in ids))

    assert len(ids) == collector.stored


def test_an_event_that_waits_is_not_doubled_either(collector: Collector) -> None:
    bad = run_event(command="not listed")
    collector.send(bad, bad)
    collector.send(bad)

    assert (0, 1) == (collector.stored, collector.waiting)


def test_events_without_a_message_id_are_each_their_own(collector: Collector) -> None:
    event = {name: value for name, value in run_event().items() if name != "messageId"}
    collector.send(event, event)

    assert 2 == collector.stored
