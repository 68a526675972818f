"""What is nested too deeply, or too large, is refused with 4xx on every route that reads a body: never a failure, and never much memory."""

import base64
import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from tests.collector.support import KEY, Collector, run_event

DEPTHS = (33, 900, 1_200, 100_000)
AUDIENCE = "https://innerloop.example.org"


def deep(depth: int, kind: str) -> bytes:
    """A value so many levels deep."""
    return b"[" * depth + b"]" * depth if kind == "lists" else b'{"a":' * depth + b"1" + b"}" * depth


def bodies(inner: bytes) -> dict[str, bytes]:
    """Bodies with a value somewhere in them, for each route what comes nearest to what it wants."""
    run = json.dumps(run_event())
    return {
        "/v1/batch": b'{"batch": [' + run.encode()[:-1] + b', "more": ' + inner + b"}]}",
        "/v1/import": b'{"batch": [], "context": ' + inner + b"}",
        "/v1/track": run.encode()[:-1] + b', "context": ' + inner + b"}",
        "/v1/i": b'{"userId": "u", "traits": ' + inner + b"}",
        "/beacon/v1/batch": b'{"batch": ' + inner + b"}",
        "/v1/forget": b'{"ids": ' + inner + b"}",
        "/v1/access": b'{"ids": [{"userId": "u", "secret": ' + inner + b"}]}",
        "/admin/v1/call": b'{"operation": "projects.list", "arguments": ' + inner + b"}",
        "/session": b'{"token": "x", "more": ' + inner + b"}",
        "/token": b"grant_type=" + inner,
    }


@pytest.fixture
def serving(idle: Collector) -> Collector:
    """A collector with every route that there can be, tokens among them."""
    idle.environment |= {
        "INNERLOOP_COLLECTOR_INGEST_OAUTH_AUDIENCE": AUDIENCE,
        "INNERLOOP_COLLECTOR_INGEST_BROWSER_ORIGINS": "https://a.example",
    }
    return idle.start_with()


def send(collector: Collector, path: str, body: bytes, **headers: str) -> Any:
    token = (collector.data / "admin-token").read_text().strip()
    shown = {"Authorization": f"Bearer {token}"} if path in ("/admin/v1/call", "/session") else {}
    return collector.post(path, body, None if shown or "Authorization" in headers else KEY, {**shown, **headers})


def memory(collector: Collector) -> int:
    """The most memory that the service ever took, in MB."""
    assert collector.process is not None
    status = Path(f"/proc/{collector.process.pid}/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) // 1_000


def test_every_route_that_reads_a_body_is_tried(serving: Collector) -> None:
    paths = serving.http.get(serving.url + "/openapi.json").json()["paths"]
    reading = {path for path, methods in paths.items() for method, one in methods.items() if "requestBody" in one}
    same = {path for path in reading if path.startswith("/v1/") and path.strip("/") not in ("v1/forget", "v1/access")}

    assert set(bodies(b"1")) >= reading - same


@pytest.mark.parametrize("kind", ["lists", "objects"])
def test_what_lies_too_deep_is_refused_on_every_route(serving: Collector, kind: str) -> None:
    before = memory(serving)
    found: dict[tuple[str, int], int] = {}
    for depth in DEPTHS:
        for path, body in bodies(deep(depth, kind)).items():
            for headers in ({}, {"Content-Encoding": "gzip"}):
                response = send(serving, path, gzip.compress(body) if headers else body, **headers)
                found[path, depth] = response.status_code
                assert 400 <= response.status_code < 500, (path, depth, response.text)
                assert {"title", "status", "detail", "code"} <= set(response.json()), path

    assert {400, 413} >= {status for (path, depth), status in found.items() if depth > 1_000 and path != "/token"}
    assert "unexpected failure" not in serving.log
    assert memory(serving) < before + 100
    serving.send(run_event())
    assert 1 == serving.stored


def test_tokens_that_are_nested_deeply_are_refused_as_tokens(serving: Collector) -> None:
    token = base64.urlsafe_b64encode(deep(5_500, "lists")).decode().rstrip("=") + ".e30.x"  # a header may have 16 KB
    form = f"grant_type=client_credentials&client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer&client_assertion={token}"

    assert 511 == send(serving, "/v1/batch", b'{"batch": []}', Authorization=f"Bearer {token}").status_code
    assert 401 == send(serving, "/token", form.encode()).status_code
    assert 401 == send(serving, "/admin/v1/call", b"{}", Authorization=f"Bearer {token}").status_code
    assert "unexpected failure" not in serving.log


@pytest.mark.parametrize(
    "body",
    [
        b'{"batch": [' + b"{}," * 150_000 + b"{}]}",
        b'{"batch": [{"properties": {' + b",".join(b'"k%d":1' % number for number in range(40_000)) + b"}}]}",
        b'{"batch": [' + b"[]," * 2_000 + b'[]], "x": "' + b"y" * 490_000 + b'"}',
        b'{"batch": [{"userId": ' + b"9" * 4_000 + b"}]}",
        b'{"batch": [{"userId": ' + b"9" * 400_000 + b', "messageId": 1e400, "properties": {"duration_ms": -1e400}}]}',
        b'{"batch": "' + b"\\u0000" * 80_000 + b'"}',
        b'{"a":' * 5 + b'"' + b"\\ud83d" * 70_000 + b'"' + b"}" * 5,
        b"9" * 500_000,
        b'"' + b"x" * 511_000 + b'"',
        b"\xff\xfe" + ('{"batch": []}').encode("utf-16-le"),
        b"[" * 511_000,
        b'{"batch": [' * 40_000,
    ],
    ids=[
        "objects",
        "members",
        "lists",
        "digits",
        "more digits",
        "null characters",
        "half characters",
        "a number",
        "a text",
        "UTF-16",
        "open lists",
        "open objects",
    ],
)
def test_what_is_large_is_taken_or_refused_and_never_a_failure_or_much_memory(shared: Collector, body: bytes) -> None:
    before = memory(shared)
    answers = [
        shared.post(path, data, KEY, headers)
        for path in ("/v1/batch", "/v1/track", "/v1/forget")
        for data, headers in ((body, {}), (gzip.compress(body), {"Content-Encoding": "gzip"}))
    ]

    assert {200, 400, 413} >= {answer.status_code for answer in answers}, {answer.status_code: answer.text for answer in answers}
    assert "unexpected failure" not in shared.log
    assert memory(shared) < before + 150
