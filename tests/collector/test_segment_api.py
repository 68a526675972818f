"""Segment's HTTP API as its SDKs, and programs without one, use it: routes, authentication, encodings, ids and times."""

import base64
import gzip
import http.client
import json
import re
import subprocess
import zlib
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.collector.support import KEY, PROJECT, Collector, digest_of, hour, project, run_event
from tests.conftest import ROOT

CALLS = {"track": "t", "identify": "i", "page": "p", "screen": "s", "group": "g", "alias": "a", "batch": "b"}
PATHS = [f"/v1/{name}{slash}" for pair in CALLS.items() for name in pair for slash in ("", "/")]
ORIGIN = "https://app.example.org"
SUCCESS = (200, b'{"success": true}')


def basic(text: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(text.encode()).decode()}


def test_the_event_of_the_reference_page_is_accepted_as_it_is_pasted(collector: Collector) -> None:
    page = (ROOT / "docs" / "reference" / "http-api.md").read_text(encoding="utf-8")
    begin, _, rest = page.partition("```sh\n")[2].partition("```")[0].partition("\n")
    assert begin.startswith("KEY=shop.")
    hour = begin[begin.index("HOUR=") :]
    script = f"KEY={KEY} URL={collector.url} {hour}\n{rest}"
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, timeout=60, check=False)

    assert (0, '{"success": true}') == (done.returncode, done.stdout), done.stderr
    assert 1 == collector.stored, collector.reasons()


@pytest.mark.parametrize("path", PATHS)
def test_every_route_answers_under_its_name_and_its_letter_with_and_without_a_slash(shared: Collector, path: str) -> None:
    name = path.strip("/").split("/")[1]
    body: dict[str, Any] = {"batch": []} if name in ("batch", "b") else {"userId": "u", "groupId": "g", "previousId": "p", "event": "e"}
    response = shared.post(path, body)

    assert SUCCESS == (response.status_code, response.content)
    assert "application/json" == response.headers["content-type"]


@pytest.mark.parametrize("value", ["", "application/json", "application/json; charset=utf-8", "text/plain", "text/plain;charset=UTF-8"])
def test_the_content_type_does_not_matter(shared: Collector, value: str) -> None:
    assert 200 == shared.post("/v1/batch", {"batch": []}, headers={"Content-Type": value}).status_code


@pytest.mark.parametrize(
    ("header", "in_body", "status"),
    [
        (basic(f"{KEY}:"), None, 200),
        (basic(KEY), None, 200),
        (basic(f"{KEY}:whatever"), None, 200),
        ({"Authorization": "basic " + base64.b64encode(f"{KEY}:".encode()).decode()}, None, 200),
        (basic(f"{KEY}:"), "acme.wrong", 200),
        ({}, KEY, 200),
        (basic(":"), KEY, 200),
        ({}, None, 401),
        ({}, "acme.wrong", 401),
        ({}, 7, 401),
        (basic("acme.wrong:"), KEY, 401),
        ({"Authorization": "Basic é".encode("latin-1").decode("latin-1")}, None, 401),
        ({"Authorization": "Digest x"}, None, 401),
    ],
    ids=[
        "user name", "no colon", "password", "small letters", "both", "body", "empty and body", "none", "unknown in body",
        "number in body", "unknown and body", "not base64", "other scheme",
    ],
)  # fmt: skip
def test_the_write_key_is_the_user_name_or_in_the_body(shared: Collector, header: dict[str, str], in_body: Any, status: int) -> None:
    body = {"batch": [], **({} if in_body is None else {"writeKey": in_body})}
    encoded = {name: value.encode("utf-8") for name, value in header.items()}
    response = shared.http.post(shared.url + "/v1/batch", content=json.dumps(body).encode(), headers=encoded)

    assert status == response.status_code
    assert (status == 401) == ("www-authenticate" in response.headers)


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [
        ("gzip", gzip.compress),
        ("x-gzip", gzip.compress),
        ("GZIP", gzip.compress),
        ("deflate", zlib.compress),
        ("deflate", lambda data: zlib.compress(data, wbits=-15)),
        ("identity", lambda data: data),
    ],
    ids=["gzip", "x-gzip", "capitals", "zlib", "raw deflate", "identity"],
)
def test_packed_bodies_are_read(shared: Collector, encoding: str, pack: Any) -> None:
    body = pack(json.dumps({"batch": [], "padding": "x" * 1000}).encode())

    assert 200 == shared.post("/v1/batch", body, headers={"Content-Encoding": encoding}).status_code


@pytest.mark.parametrize(
    ("encoding", "body", "status"),
    [
        ("br", b"{}", 415),
        ("gzip", b"not packed", 400),
        ("gzip", gzip.compress(b'{"batch": []}') + b"more", 400),
        ("gzip", gzip.compress(b"{}") + zlib.compress(b" "), 400),
        ("gzip", gzip.compress(b'{"batch": ') + gzip.compress(b"[]}")[:-1], 400),
        ("gzip", gzip.compress(b"") * 100 + gzip.compress(b"{}"), 400),
        ("gzip", gzip.compress(b" " * 300_000) * 2, 413),
        ("deflate", b"", 400),
        ("deflate", zlib.compress(b" " * 600_000, wbits=-15), 413),
    ],
    ids=[
        "unknown",
        "other",
        "more behind",
        "another kind behind",
        "half a second member",
        "too many members",
        "two halves of a bomb",
        "nothing",
        "a bomb",
    ],
)
def test_what_is_packed_otherwise_is_refused_and_never_read_in_part(shared: Collector, encoding: str, body: bytes, status: int) -> None:
    assert status == shared.post("/v1/batch", body, headers={"Content-Encoding": encoding}).status_code


def test_gzip_may_come_in_several_members(shared: Collector) -> None:
    before = shared.stored
    body = json.dumps({"batch": [run_event()]}).encode()
    packed = gzip.compress(body[:50]) + gzip.compress(b"") + gzip.compress(body[50:])

    assert 200 == shared.post("/v1/batch", packed, headers={"Content-Encoding": "gzip"}).status_code
    assert before + 1 == shared.stored


def test_one_connection_carries_many_requests_chunked_or_not_and_also_after_a_refusal(shared: Collector) -> None:
    address = urlsplit(shared.url)
    connection = http.client.HTTPConnection(address.netloc)
    body = json.dumps({"batch": [], "padding": "x" * 100_000}).encode()
    statuses = []
    for key, content, chunked in (
        (KEY, body, False),
        (KEY, iter([body[:7], body[7:]]), True),
        ("acme.wrong", body, False),
        (KEY, body, False),
    ):
        connection.request("POST", "/v1/batch", content, basic(f"{key}:"), encode_chunked=chunked)
        response = connection.getresponse()
        response.read()
        statuses.append(response.status)
    connection.close()

    assert [200, 200, 401, 200] == statuses


def test_ids_may_be_numbers_or_null_and_what_else_a_message_holds_is_not_kept(collector: Collector) -> None:
    usual = run_event()
    null = dict.fromkeys(("anonymousId", "groupId", "traits", "integrations", "channel", "previousId", "name", "category"))
    more = {
        "_metadata": {"nodeVersion": "canary-1"},
        "channel": "canary-2",
        "context": {"ip": "192.0.2.7", "library": {"name": "canary-3"}, "page": {"url": "https://canary-4.example.org"}},
        "anonymousId": "canary-5",
        "somethingNew": {"deep": ["canary-6"]},
        "integrations": {"All": True, "canary-7": False},
        "traits": {"email": "canary-8@example.org"},
    }
    collector.send({**usual, **null})
    collector.send({**run_event(), "messageId": 12345, "userId": 77})
    collector.send({**run_event(), "messageId": 12345, "userId": 77.0}, {**run_event(), "messageId": "12345", "userId": "77"})
    collector.send({**run_event(), "userId": None, "anonymousId": 5, "messageId": 0.5})
    collector.send({**run_event(), **more})
    collector.send({**run_event(), "type": "identify", **more})

    assert 4 == collector.stored
    assert {"outside the plan: type": 1} == collector.reasons()
    collector.stop()
    kept = collector.bytes_on_disk() + collector.log.encode()
    assert [] == re.findall(rb"canary-\d|192\.0\.2\.7", kept)


def test_context_and_time_of_a_batch_count_for_its_events(shared: Collector) -> None:
    """The older SDK for Node says the time of sending twice; a plan that a batch names holds for all of it."""
    before = shared.stored
    body = {"batch": [run_event()], "timestamp": datetime.now(UTC).isoformat(), "sentAt": datetime.now(UTC).isoformat(), "integrations": {}}
    assert 200 == shared.post("/v1/batch", {**body, "context": {"plan": "0" * 64}}).status_code
    assert 200 == shared.post("/v1/batch", {**body, "batch": [run_event()], "context": {"plan": None, "app": "x"}}).status_code
    assert 200 == shared.post("/v1/batch", {**body, "batch": [run_event()], "context": "nothing"}).status_code

    assert before + 2 == shared.stored
    assert 1 == shared.reasons()["unknown plan"]


def test_a_value_that_is_no_json_costs_no_more_than_its_event(shared: Collector) -> None:
    """Python's SDKs write NaN, and every SDK writes half a character where a program cut a text."""
    before = shared.stored
    usual, odd, cut = (json.dumps(run_event()) for _ in range(3))
    texts = [usual, odd.replace("1230", "NaN"), cut.replace('"test"', '"\\ud83d"')]
    response = shared.post("/v1/batch", ('{"batch": [' + ", ".join(texts) + "]}").encode())

    assert SUCCESS == (response.status_code, response.content)
    assert before + 2 == shared.stored
    assert 1 == shared.reasons()["violates the plan: not allowed: command"]


def exact(text: Any) -> dict[str, Any]:
    """An event whose SDK wrote the time by itself."""
    return {**run_event(), "timestamp": text}


def test_the_exact_time_that_sdks_write_is_kept_to_the_agreed_hour_and_never_finer(collector: Collector) -> None:
    now = datetime.now(UTC).replace(minute=17, second=23, microsecond=0) - timedelta(hours=3)
    here = now + timedelta(hours=5, minutes=30)
    day, clock = now.strftime("%Y-%m-%d"), now.strftime("%H:%M:%S")
    there = here.strftime("%Y-%m-%dT%H:%M:%S")
    ways = [
        f"{day}T{clock}Z", f"{day}T{clock}.4Z", f"{day}T{clock}.456Z", f"{day}T{clock}.456789+00:00", f"{day}T{clock}.456789123Z",
        f"{there}+05:30", f"{there}.456+05:30", f"{day}T{clock}+0000", f"{day}T{clock}z", hour(),
    ]  # fmt: skip
    collector.send(*(exact(way) for way in ways))
    collector.send({**exact(ways[0]), "type": "page"})

    assert len(ways) == collector.stored
    assert {"outside the plan: type": 1} == collector.reasons()
    collector.stop()
    kept = collector.bytes_on_disk() + collector.log.encode()
    assert [] == re.findall(rb":17:23|\.456", kept)
    assert [[len(ways)]] == collector.rows("SELECT countIf(toStartOfHour(event_time) = event_time) FROM events")


def test_a_time_that_cannot_be_read_sets_its_event_aside_and_is_not_kept(collector: Collector) -> None:
    collector.send(*(exact(time) for time in ("yesterday at 10:17:23", "2026-01-02T10:17:23", 1_700_000_000_123, {"at": "10:17:23"})))

    assert {"violates the plan: not allowed: timestamp": 4} == collector.reasons()
    collector.stop()
    assert [] == re.findall(rb"10:17:23|1700000000123", collector.bytes_on_disk())


def test_whoever_names_a_plan_keeps_to_it_by_itself(shared: Collector) -> None:
    shared.send(exact("2026-01-02T10:17:23Z"), plan=digest_of(PROJECT))

    assert 1 == shared.reasons()["violates the plan: not allowed: timestamp"]


def test_a_plan_without_the_time_keeps_none(idle: Collector) -> None:
    idle.start_with(project(fields={"timestamp": False}))
    idle.send(exact(datetime.now(UTC).isoformat()))

    assert 1 == idle.stored


def test_one_event_too_many_refuses_the_whole_batch_and_loses_none_of_it_unsaid(shared: Collector) -> None:
    response = shared.post("/v1/batch", {"batch": [{}] * 2501})

    assert (413, "too_large") == (response.status_code, response.json()["code"])
    assert "2500" in response.json()["message"]


def test_a_body_that_does_not_come_is_answered_with_503_and_when_to_come_back(idle: Collector) -> None:
    idle.environment["INNERLOOP_COLLECTOR_LIMITS_BODY_SECONDS"] = "0.5"
    idle.start_with()
    connection = http.client.HTTPConnection(urlsplit(idle.url).netloc, timeout=20)
    connection.putrequest("POST", "/v1/batch")
    connection.putheader("Content-Length", "100")
    connection.endheaders(b"{")
    response = connection.getresponse()
    problem = json.loads(response.read())
    connection.close()

    assert (503, "too_slow") == (response.status, problem["code"])
    assert 0 < int(response.headers["Retry-After"]) <= 300
    assert response.headers["Retry-After"] == response.headers["X-RateLimit-Reset"]


def test_browsers_may_not_send_unless_their_page_is_listed(shared: Collector) -> None:
    asked = shared.http.options(shared.url + "/v1/b", headers={"Origin": ORIGIN, "Access-Control-Request-Method": "POST"})
    sent = shared.post("/v1/b", {"batch": [], "writeKey": KEY}, None, {"Origin": ORIGIN, "Content-Type": "text/plain"})

    assert 405 == asked.status_code
    assert (403, "origin_not_allowed") == (sent.status_code, sent.json()["code"])
    assert "access-control-allow-origin" not in sent.headers


def test_what_is_no_origin_is_refused_before_it_silently_matches_nothing(idle: Collector) -> None:
    done = idle.cli("check", env={"INNERLOOP_COLLECTOR_INGEST_BROWSER_ORIGINS": ORIGIN + "/"})

    assert (1, 1) == (done.returncode, len(done.stderr.splitlines()))
    assert "browser_origins" in done.stderr


def test_a_listed_page_may_send_and_read_the_answer_and_no_other(idle: Collector) -> None:
    idle.environment["INNERLOOP_COLLECTOR_INGEST_BROWSER_ORIGINS"] = f"https://docs.example.org, {ORIGIN}"
    idle.start_with()
    question = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type,x-retry-count"}
    asked = idle.http.options(idle.url + "/v1/t", headers={"Origin": ORIGIN, **question})
    sent = idle.post("/v1/t", {**run_event(), "writeKey": KEY}, None, {"Origin": ORIGIN, "Content-Type": "text/plain"})
    refused = idle.post("/v1/t", {"writeKey": "acme.wrong"}, None, {"Origin": ORIGIN})
    others = [
        idle.http.options(idle.url + "/v1/t", headers={"Origin": "https://evil.example", **question}),
        idle.post("/v1/t", {**run_event(), "writeKey": KEY}, None, {"Origin": "https://evil.example"}),
        idle.post("/v1/t", {**run_event(), "writeKey": KEY}, None, {"Origin": "null"}),
    ]

    assert (200, ORIGIN) == (asked.status_code, asked.headers["access-control-allow-origin"])
    assert {"authorization", "content-type", "x-retry-count"} <= set(
        asked.headers["access-control-allow-headers"].lower().replace(" ", "").split(",")
    )
    assert (*SUCCESS, ORIGIN) == (sent.status_code, sent.content, sent.headers["access-control-allow-origin"])
    assert (401, ORIGIN) == (refused.status_code, refused.headers["access-control-allow-origin"])
    assert [(403, None)] * 3 == [(one.status_code, one.headers.get("access-control-allow-origin")) for one in others]
    assert 405 == idle.http.options(idle.url + "/v1/t").status_code
    assert 1 == idle.stored
