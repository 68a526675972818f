"""What is in the log: JSON lines that help an operator, and nothing of a developer, a sender or a key, whatever goes wrong."""

import json
import socket
import subprocess
import sys
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.collector.support import KEY, Collector, Owner, run_event

SECRETS = {
    "file": "/home/alice.doe/shop/secret_launch.mk",
    "mail": "alice.doe@example.com",
    "token": "tok_4f9d8c7b6a5e4d3c2b1a09f8e7d6c5b4a3",
    "key": "acme.zyxwvutsrqponmlkjihgfedcba9876",
    "address": "203.0.113.77",
    "address6": "2001:db8::dead:beef",
    "user": str(uuid.uuid4()),
    "message": str(uuid.uuid4()),
    "name": "target-that-nobody-should-read",
    "agent": "curl-of-alice/1.0",
}


def lines(collector: Collector) -> list[dict[str, Any]]:
    """The log, each line as JSON."""
    return [json.loads(line) for line in collector.log.splitlines()]


def raw(collector: Collector, data: bytes) -> None:
    """Send bytes that are no HTTP, or end in the middle of it."""
    host, _, port = collector.url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), 5) as connection:
        connection.sendall(data)
        connection.settimeout(2)
        try:
            while connection.recv(65536):
                pass
        except OSError:
            pass


def fail_in_every_way(collector: Collector) -> None:
    """Send what is refused, malformed, cut off, set aside and dropped, with things planted in every place that a sender chooses."""
    headers = {
        "X-Forwarded-For": SECRETS["address"],
        "Forwarded": f'for="[{SECRETS["address6"]}]"',
        "User-Agent": SECRETS["agent"],
        "X-Request-Id": SECRETS["token"],
        "Cookie": f"session={SECRETS['token']}",
    }
    event = run_event(SECRETS["user"], message=SECRETS["message"])
    broken = [
        {**event, "properties": {**event["properties"], "command": SECRETS["name"], SECRETS["file"]: SECRETS["mail"]}},
        {**event, "messageId": 7, "type": SECRETS["file"]},
        {**event, "messageId": SECRETS["token"], "timestamp": SECRETS["mail"], "event": SECRETS["name"]},
        {"type": "identify", "userId": SECRETS["mail"], "traits": {"email": SECRETS["mail"]}},
        SECRETS["file"],
    ]
    collector.post(
        "/v1/batch", {"batch": broken, "context": {"plan": SECRETS["token"], "erasure": {SECRETS["user"]: "z"}}}, headers=headers
    )
    collector.post("/v1/batch", {"batch": broken}, SECRETS["key"], headers)
    collector.post("/v1/batch", {"batch": broken, "writeKey": SECRETS["key"]}, None, headers)
    collector.post("/v1/batch", {"batch": broken, "sentAt": SECRETS["mail"]}, headers=headers)
    collector.post(f"/v1/{SECRETS['name']}?key={SECRETS['key']}", broken[0], headers=headers)
    collector.post("/v1/batch", json.dumps(broken[0]).encode()[:-5], headers=headers)
    collector.post("/v1/batch", b"\x1f\x8b" + SECRETS["file"].encode(), headers={**headers, "Content-Encoding": "gzip"})
    collector.post("/v1/batch", b"[" * 200_000, headers=headers)
    collector.post("/v1/forget", {"ids": [{"userId": SECRETS["user"], "secret": SECRETS["token"]}]}, headers=headers)
    collector.post("/v1/forget", {"ids": [{"userId": SECRETS["user"], "secret": "0" * 64}]}, headers=headers)
    collector.http.get(f"{collector.url}/v1/forget/{SECRETS['token']}", auth=(KEY, ""), headers=headers)
    collector.http.get(collector.url + SECRETS["file"], headers=headers)
    admin = {"Authorization": f"Bearer {SECRETS['token']}"}
    collector.http.post(f"{collector.url}/admin/v1/call", json={"operation": SECRETS["name"]}, headers=admin)
    raw(collector, f"GET {SECRETS['file']} HTTP/9.9\r\n{SECRETS['mail']}\r\n\r\n".encode())
    raw(collector, f"POST /v1/batch HTTP/1.1\r\nHost: x\r\nX: {SECRETS['token']}\r\nContent-Length: 90\r\n\r\n{SECRETS['user']}".encode())
    raw(collector, b"\x00\xff" * 50 + SECRETS["mail"].encode())


@pytest.fixture(scope="module")
def failed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Collector, list[str]]]:
    """A collector that has stopped after everything went wrong, and what its log must not hold."""
    collector = Collector(tmp_path_factory.mktemp("failed"))
    collector.environment["INNERLOOP_COLLECTOR_SERVER_LOG_LEVEL"] = "debug"
    try:
        collector.start_with()
        owner, late = Owner(), run_event()
        collector.send(run_event(owner.id), owners=[owner])
        fail_in_every_way(collector)
        collector.forget(owner)
        collector.send(run_event(owner.id), late)  # one is dropped, since it was erased
        (collector.data / "store").rename(collector.data / SECRETS["name"])
        (collector.data / "store").write_bytes(b"no directory")  # commits fail, and so does what looks at the store
        collector.post("/v1/batch", {"batch": [run_event(SECRETS["user"])]})
        collector.http.get(collector.url + "/readyz")
        collector.http.get(collector.url + "/metrics")
        collector.stop()
        yield collector, [*SECRETS.values(), KEY, KEY.partition(".")[2], owner.id, owner.secret, late["userId"], late["messageId"]]
    finally:
        collector.close()


def test_whatever_goes_wrong_nothing_of_anybody_is_logged(failed: tuple[Collector, list[str]]) -> None:
    collector, planted = failed
    log = collector.log

    assert [] == [one for one in planted if one in log or one.replace("-", "") in log]
    assert [] == [line for line in log.splitlines() if "127.0.0.1" in line and '"listening"' not in line]
    assert "Traceback" not in log
    assert any(line["event"] == "events dropped" for line in lines(collector))
    assert any(line["level"] == "error" for line in lines(collector))


def test_every_line_is_json_with_its_time_and_level(failed: tuple[Collector, list[str]]) -> None:
    for line in lines(failed[0]):
        assert line["level"] in ("debug", "info", "warning", "error")
        assert abs(datetime.fromisoformat(line["timestamp"]) - datetime.now(UTC)).total_seconds() < 300
        assert line["event"]


def test_the_level_is_configured(idle: Collector) -> None:
    idle.environment["INNERLOOP_COLLECTOR_SERVER_LOG_LEVEL"] = "error"
    idle.start_with()
    idle.stop()

    assert "" == idle.log


LIBRARY = """
import logging, threading, warnings
from innerloop_collector.monitoring import logs
import structlog
logs.configure("info")
library = logging.getLogger("some.library")
def work(planted):
    library.warning("cannot reach %s", planted)
    library.warning(f"cannot reach {planted}")
    library.warning("with extra", extra={"who": planted})
    structlog.get_logger().warning("ours", error=f"Code: 36. bad argument '{planted}' of \\"{planted}\\" (BAD_ARGUMENTS)", rows=3)
    try:
        raise ValueError(planted)
    except ValueError:
        library.exception("it failed")
        structlog.get_logger().exception("we failed")
    raise ValueError(planted)
thread = threading.Thread(target=work, args=("alice doe's secret",), name="worker")
thread.start(); thread.join()
raise ValueError("alice doe's secret")
"""


def test_what_libraries_log_and_what_nobody_caught_quotes_nobody(idle: Collector, tmp_path: Path) -> None:
    (tmp_path / "library.py").write_text(LIBRARY)
    done = subprocess.run([sys.executable, str(tmp_path / "library.py")], capture_output=True, text=True, env=idle.environment, check=False)
    said = [json.loads(line) for line in done.stderr.splitlines()]

    assert "alice" not in done.stderr
    assert 1 == done.returncode
    assert "cannot reach %s" == said[0]["event"]
    assert {"rows": 3, "error": "Code: 36. bad argument … (BAD_ARGUMENTS)"}.items() <= said[3].items()
    assert ["it failed", "we failed"] == [
        line["event"] for line in said if line.get("kind") == "ValueError" and line["event"] != "uncaught failure"
    ]
    assert ["worker", "process"] == [line["what"] for line in said if line["event"] == "uncaught failure"]
    assert all(line["where"] for line in said if "kind" in line)
