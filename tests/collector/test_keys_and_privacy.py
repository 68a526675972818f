"""What lies on the disk and in the log: no key, no id as it was sent, no address, no sentAt."""

import contextlib
import http.client
import ipaddress
import json
import re
import socket
import stat
from base64 import b64encode
from datetime import UTC, datetime, timedelta

import httpx2
import pytest

from tests.collector.support import KEY, Collector, Owner, hour, project, run_event

HERE = "127.0.0.53"  # an address of this machine that nothing else uses


def test_no_write_key_lies_on_the_disk(collector: Collector) -> None:
    key = collector.cli("keys", "create", "acme").stdout.strip()
    collector.send(run_event(), key=key)
    collector.stop()
    everything = collector.bytes_on_disk() + collector.log.encode()

    assert re.fullmatch(r"acme\.[A-Za-z0-9_-]{32}", key)
    assert key.partition(".")[2].encode() not in everything
    assert KEY.partition(".")[2].encode() not in everything


def test_a_key_works_from_its_creation_until_it_is_revoked_also_over_a_restart(collector: Collector) -> None:
    made = collector.cli("keys", "create", "acme")
    key, key_id = made.stdout.strip(), made.stderr.split()[2]
    collector.send(run_event(), key=key)
    assert 0 == collector.cli("keys", "revoke", key_id).returncode
    assert 401 == collector.post("/v1/batch", {"batch": []}, key).status_code
    collector.stop()
    collector.start()

    assert 401 == collector.post("/v1/batch", {"batch": []}, key).status_code
    collector.send(run_event())


def test_a_revoked_key_stays_revoked_when_its_project_file_is_served_again(collector: Collector) -> None:
    key_id = collector.ask("keys", "list")["keys"][0]["id"]
    assert 0 == collector.cli("keys", "revoke", key_id).returncode
    collector.stop()
    collector.start_with()

    assert 401 == collector.post("/v1/batch", {"batch": []}).status_code


def test_an_existing_key_can_be_taken_over(idle: Collector) -> None:
    idle.start()
    assert 1 == idle.cli("keys", "create", "acme").returncode
    idle.apply(project())
    assert 401 == idle.post("/v1/batch", {"batch": []}).status_code
    made = idle.cli("keys", "create", "acme", "--secret-from", "-", stdin=KEY + "\n")
    assert (0, KEY + "\n") == (made.returncode, made.stdout)

    idle.send(run_event())


def test_what_makes_a_key_or_a_token_can_say_it_as_json(idle: Collector) -> None:
    idle.start_with()
    made = idle.ask("keys", "create", "acme")
    rotated = idle.ask("keys", "rotate", "acme")
    token = idle.ask("tokens", "create", "--role", "viewer", "--label", "a board")

    assert made["key"].startswith("acme.")
    assert made["id"] in [old["id"] for old in rotated["ending"]]
    assert token["id"] in [one["id"] for one in idle.ask("tokens", "list")["tokens"]]


@pytest.mark.slow
def test_a_rotated_key_ends_at_its_date_and_a_token_after_its_last_day(idle: Collector) -> None:
    idle.start_with()
    token = idle.ask_text("tokens", "create", "--role", "viewer", "--label", "for a week", "--expires", "7").strip()
    rotated = idle.cli("keys", "rotate", "acme", "--overlap", "7")
    new = rotated.stdout.strip()
    last = (datetime.now(UTC) + timedelta(days=7)).date().isoformat()
    for key in (KEY, new):
        idle.send(run_event(), key=key)
    old_id, new_id = (one["id"] for one in sorted(idle.ask("keys", "list")["keys"], key=lambda one: one["ends"] is None))
    idle.stop()

    assert re.fullmatch(r"acme\.[A-Za-z0-9_-]{32}", new)
    assert f"write key {old_id} is accepted up to and including {last}" in rotated.stderr
    call = {"operation": "projects.list", "arguments": {}}
    for days, old_status in ((7, 200), (8, 401)):
        idle.move_clock(timedelta(days=days))
        idle.start_with()  # whose project file still names the old one
        read = idle.http.post(idle.url + "/admin/v1/call", json=call, headers={"Authorization": f"Bearer {token}"})
        assert old_status == read.status_code
        assert (old_status, 200) == tuple(idle.post("/v1/batch", {"batch": []}, key).status_code for key in (KEY, new))
        idle.stop()
    listed = {one["id"]: (one["accepted"], one["ends"]) for one in idle.ask("keys", "list")["keys"]}
    assert {old_id: (False, last), new_id: (True, None)} == listed
    assert f"ended {last}" in idle.cli("keys", "list").stdout


def test_rotating_again_lets_no_key_live_longer(idle: Collector) -> None:
    idle.apply(project())
    idle.ask_text("keys", "create", "acme")
    idle.ask_text("keys", "rotate", "acme", "--overlap", "3")
    idle.ask_text("keys", "rotate", "acme", "--overlap", "60")

    days = [(datetime.now(UTC) + timedelta(days=days)).date().isoformat() for days in (3, 60)]
    assert {*days, None} == {one["ends"] for one in idle.ask("keys", "list")["keys"]}


def test_the_list_of_keys_tells_the_last_day_on_which_each_was_used(collector: Collector) -> None:
    collector.ask_text("keys", "create", "acme")
    collector.send(run_event())
    today = datetime.now(UTC).date().isoformat()

    assert [today, None] == sorted((one["last_used"] for one in collector.ask("keys", "list")["keys"]), key=lambda day: day is None)
    collector.stop()
    assert [today, None] == sorted((one["last_used"] for one in collector.ask("keys", "list")["keys"]), key=lambda day: day is None)


def test_a_revoked_key_is_refused_at_once_on_a_connection_that_lives_and_in_a_request_that_is_under_way(collector: Collector) -> None:
    host, _, port = collector.url.removeprefix("http://").partition(":")
    body = json.dumps({"batch": [run_event()]}).encode()
    headers = {"Authorization": "Basic " + b64encode(f"{KEY}:".encode()).decode(), "Content-Length": str(len(body))}
    connections = [http.client.HTTPConnection(host, int(port), timeout=20) for _ in range(2)]
    for connection in connections:
        connection.request("POST", "/v1/batch", body, headers)
        answer = connection.getresponse()
        assert (200, b"success") == (answer.status, answer.read()[2:9])
    idle, under_way = connections
    under_way.request("POST", "/v1/batch", body[:20], headers)
    assert 0 == collector.cli("keys", "revoke", collector.ask("keys", "list")["keys"][0]["id"]).returncode
    under_way.send(body[20:])
    idle.request("POST", "/v1/batch", body, headers)

    assert [401, 401] == [connection.getresponse().status for connection in connections]
    for connection in connections:
        connection.close()


def test_ids_are_stored_as_keyed_hashes_only(collector: Collector) -> None:
    event, waiting = run_event(), run_event(command="unlisted")
    collector.send(event, waiting)
    collector.stop()
    everything = collector.bytes_on_disk()

    for one in (event, waiting):
        for text in (one["userId"], one["messageId"]):
            assert text.encode() not in everything
            assert bytes.fromhex(text.replace("-", "")) not in everything


def test_no_address_is_logged_or_stored(collector: Collector) -> None:
    collector.post("/v1/batch", {"batch": [run_event()]}, headers={"X-Forwarded-For": "203.0.113.9"})
    collector.post("/v1/batch", b"{")
    collector.stop()

    assert "203.0.113.9" not in collector.log
    assert b"203.0.113.9" not in collector.bytes_on_disk()
    assert [] == [line for line in collector.log.splitlines() if "127.0.0.1" in line and '"listening"' not in line]


def test_where_requests_come_from_is_nowhere_to_be_found(idle: Collector) -> None:
    """Not after requests that were taken, refused, cut off, too fast, too slow or nobody's; in no file, table, log line or metric."""
    idle.environment |= {
        "INNERLOOP_COLLECTOR_LIMITS_EVENTS_PER_SECOND": "0.01",
        "INNERLOOP_COLLECTOR_LIMITS_BURST_EVENTS": "8",
        "INNERLOOP_COLLECTOR_LIMITS_NEW_IDS_PER_DAY": "2",
        "INNERLOOP_COLLECTOR_LIMITS_HEADER_SECONDS": "1",
        "INNERLOOP_COLLECTOR_ACCESS_TRUSTED_PROXIES": "127.0.0.53",
    }
    idle.start_with()
    owner = Owner()
    with httpx2.Client(trust_env=False, transport=httpx2.HTTPTransport(local_address=HERE), headers={"X-Forwarded-For": HERE}) as client:
        events = [run_event(), run_event(owner.id), run_event(), run_event(command="unlisted")]
        erasure = {"erasure": dict([owner.registration])}
        answers = [
            client.post(idle.url + path, json=body, auth=auth).status_code
            for path, body, auth in (
                ("/v1/batch", {"batch": events, "context": erasure}, (KEY, "")),
                ("/v1/batch", {"batch": "nonsense"}, (KEY, "")),
                ("/v1/batch", {"batch": events * 2}, (KEY, "")),
                ("/v1/batch", {"batch": events}, ("unknown", "")),
                ("/v1/forget", {"ids": [owner.claim]}, (KEY, "")),
                ("/session", {"token": "unknown"}, None),
                ("/admin/v1/call", {"operation": "check"}, None),
                ("/nowhere", {}, None),
            )
        ]
        client.get(idle.url + "/metrics")
    for sent in (b"GET / HTTP/1.1\r\nX: " + b"x" * 100_000, b"nonsense\r\n\r\n", b"GE"):
        with socket.create_connection(("127.0.0.1", int(idle.url.rpartition(":")[2])), timeout=10, source_address=(HERE, 0)) as cut:
            cut.sendall(sent)
            with contextlib.suppress(ConnectionError):
                assert cut.recv(100)
    metrics = idle.http.get(idle.url + "/metrics").text
    idle.stop()
    rows = idle.every_row()

    assert [200, 400, 429, 401, 200, 401, 401, 404] == answers
    assert all(f"'{name}': [[" in rows for name in ("events", "quarantine", "uses", "known_ids")), "there is something to search in"
    everything = rows.encode() + idle.log.encode() + metrics.encode() + idle.bytes_on_disk()
    for text in (HERE, str(int(ipaddress.ip_address(HERE))), "::ffff:127.0.0.53"):
        assert text.encode() not in everything


def test_only_the_owner_can_read_the_data(collector: Collector) -> None:
    assert 0o700 == stat.S_IMODE(collector.data.stat().st_mode)
    assert {0o600} == {stat.S_IMODE((collector.data / name).stat().st_mode) for name in ("secret", "admin-token", "lock")}


def test_the_operators_side_needs_the_token(collector: Collector) -> None:
    call = {"operation": "projects.list", "arguments": {}}
    token = (collector.data / "admin-token").read_text().strip()

    assert 401 == collector.http.post(collector.url + "/admin/v1/call", json=call).status_code
    assert 401 == collector.post("/admin/v1/call", call).status_code
    assert 200 == collector.http.post(collector.url + "/admin/v1/call", json=call, headers={"Authorization": f"Bearer {token}"}).status_code


def test_a_wrong_clock_is_corrected_in_a_column_of_its_own_and_sent_at_is_forgotten(collector: Collector) -> None:
    skewed = datetime.now(UTC) - timedelta(hours=3)
    collector.send(run_event(ago=timedelta(hours=5)), sent_at=skewed.isoformat())
    collector.send(run_event(ago=timedelta(hours=30)))
    collector.stop()

    rows = collector.rows(
        "SELECT toString(event_time), toString(corrected_time), toString(received_day), toString(start_time) FROM events ORDER BY event_time DESC"
    )

    def stored(instant: str) -> str:
        return instant[:10] + " " + instant[11:19] + ".000"

    today = datetime.now(UTC).date().isoformat()
    early, late = hour(timedelta(hours=5)), hour(timedelta(hours=30))
    assert [
        [stored(early), stored(hour(timedelta(hours=2))), today, stored(early)],
        [stored(late), stored(late), today, stored(late)],
    ] == rows
    columns = [row[0] for row in collector.rows("SELECT name FROM system.columns WHERE database = 'default' AND table = 'events'")]
    assert not {"sent_at", "sentAt", "received_at", "skew", "ip"} & set(columns)


def test_an_event_without_a_persons_id_belongs_to_nobody(collector: Collector) -> None:
    event = run_event()
    event["anonymousId"] = event.pop("userId")
    collector.send(event)
    collector.stop()

    assert [["0"]] == collector.rows("SELECT toString(installation) FROM events")
