"""What lies on the disk and in the log: no key, no id as it was sent, no address, no sentAt."""

import re
import stat
from datetime import UTC, datetime, timedelta

from tests.collector.support import KEY, Collector, hour, project, run_event


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
