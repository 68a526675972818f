"""Every library's request, in the form that its source shows, is taken: its path, its key, its packing, its times."""

import http.client
import json
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest

from tests.collector.support import KEY, Collector, run_event
from tests.sdks.forms import FORMS, Form, rudder
from tests.sdks.sdks import ROOT, SDKS
from tests.sdks.test_delivery import stored

SUCCESS = (200, b'{"success": true}', "application/json")


def ask(collector: Collector, form: Form, numbers: list[int], *, path: str = "") -> tuple[int, bytes, str]:
    """Send events with a form, each numbered by its duration."""
    connection = http.client.HTTPConnection(urlsplit(collector.url).netloc, timeout=30)
    data = form.body([run_event(duration_ms=number) for number in numbers], KEY)
    body = iter([data[:20], data[20:]]) if form.chunked else data
    try:
        connection.request("POST", path or form.address(KEY), body, form.headers(KEY), encode_chunked=form.chunked)
        response = connection.getresponse()
        return response.status, response.read(), response.headers["content-type"]
    finally:
        connection.close()


def test_every_library_of_every_language_is_answered_as_it_expects_and_stored_once(collector: Collector) -> None:
    for place, form in enumerate(FORMS):
        numbers = [100 * (place + 1) + count for count in range(1 if form.around is None else 3)]
        assert SUCCESS == ask(collector, form, numbers), form.name
    assert {} == collector.reasons()
    found = stored(collector)

    assert {100 * (place + 1) + count for place, form in enumerate(FORMS) for count in range(1 if form.around is None else 3)} == set(found)
    assert {1} == set(found.values())


def test_a_host_that_is_written_with_a_slash_is_taken_too(collector: Collector) -> None:
    """Libraries that put the path behind the host make two of it."""
    for place, form in enumerate(FORMS):
        assert SUCCESS == ask(collector, form, [place + 1], path="/" + form.address(KEY)), form.name

    assert len(FORMS) == collector.stored
    assert 404 == collector.http.post(f"{collector.url}//admin/v1/call", json={}).status_code


def test_a_key_that_nobody_has_is_refused_wherever_it_stands(collector: Collector) -> None:
    for form in FORMS:
        connection = http.client.HTTPConnection(urlsplit(collector.url).netloc, timeout=30)
        body, wrong = form.body([run_event()], "acme.wrong"), "acme.wrong"
        connection.request("POST", form.address(wrong), body, form.headers(wrong))
        response = connection.getresponse()
        problem = json.loads(response.read())
        connection.close()
        assert (401, False, "invalid_write_key") == (response.status, problem["success"], problem["code"]), form.name
    assert 401 == collector.http.post(f"{collector.url}/v1/batch?writeKey={KEY}", json={"batch": []}).status_code

    assert (0, 0) == (collector.stored, collector.waiting)


@pytest.mark.parametrize("by", [timedelta(hours=-6), timedelta(days=500)], ids=["slow", "years ahead"])
def test_a_clock_is_set_right_by_what_each_message_says_where_the_request_does_not_say_it(collector: Collector, by: timedelta) -> None:
    """RudderStack's libraries for servers write the time of sending into each message."""
    now = datetime.now(UTC)
    wrong = now + by
    start = wrong.replace(minute=0, second=0, microsecond=0).isoformat()
    message = rudder(lambda time: time.isoformat())(run_event(start_time=start), wrong)
    other = {**run_event(), "sentAt": None}
    assert 200 == collector.post("/v1/batch", {"batch": [message, other]}).status_code
    assert {} == collector.reasons()
    collector.stop()

    times = [datetime.fromisoformat(row[0]).replace(tzinfo=UTC) for row in collector.rows("SELECT toString(corrected_time) FROM events")]
    assert all(now - timedelta(hours=2) < time < now + timedelta(hours=2) for time in times), times


def test_the_time_of_an_event_may_have_rudderstacks_name_and_is_cut_like_any_other(collector: Collector) -> None:
    event = {name: value for name, value in run_event().items() if name != "timestamp"}
    exact = datetime.now(UTC).replace(minute=17, second=23, microsecond=456000).isoformat()
    collector.send({**event, "originalTimestamp": exact}, {**run_event(), "originalTimestamp": "never"})
    collector.send({**event, "messageId": "m", "originalTimestamp": 5})

    assert (2, {"violates the plan: not allowed: timestamp": 1}) == (collector.stored, collector.reasons())
    collector.stop()
    assert b":17:23" not in collector.bytes_on_disk()


def test_a_body_may_be_asked_for_before_it_is_sent(collector: Collector) -> None:
    """curl, and so PHP, asks whether it may send a larger body."""
    connection = http.client.HTTPConnection(urlsplit(collector.url).netloc, timeout=30)
    body = json.dumps({"batch": [run_event()], "padding": "x" * 5_000, "writeKey": KEY}).encode()
    connection.putrequest("POST", "/v1/batch")
    connection.putheader("Content-Length", str(len(body)))
    connection.putheader("Expect", "100-continue")
    connection.endheaders()
    assert connection.sock.recv(25).startswith(b"HTTP/1.1 100 ")
    connection.send(body)
    reply = b""
    while b'{"success": true}' not in reply and (more := connection.sock.recv(4_096)):
        reply += more
    connection.close()

    assert b" 200 " in reply


def test_settings_and_measurements_of_libraries_are_not_served_and_that_is_said(collector: Collector) -> None:
    page = (ROOT / "docs" / "reference" / "http-api.md").read_text()
    for method, path in (
        ("GET", f"/v1/projects/{KEY}/settings"),
        ("POST", "/v1/m"),
        ("GET", "/sourceConfig"),
        ("GET", "/cluster-info"),
        ("GET", "/pixel/v1/track"),
        ("GET", "/v1/pixel/track"),
    ):
        answer = collector.http.request(method, collector.url + path)
        assert (404, "not_found") == (answer.status_code, answer.json()["code"])
        assert f"`{method} {path.replace(KEY, 'KEY')}`" in page, path


def test_the_reference_lists_every_library_with_where_it_was_read() -> None:
    page = (ROOT / "docs" / "reference" / "http-api.md").read_text()
    rows = {tuple(cell.strip() for cell in line.strip("|").split(" | ")) for line in page.splitlines() if line.startswith("| ")}

    for form in FORMS:
        row = (form.name, form.source, f"`{form.path}`", form.key, form.packed or "plain", form.done, form.again)
        assert any(row == tuple(cell.strip("| ") for cell in one) for one in rows), row
    assert all(sdk.name.split(" ")[0].strip("@") in page for sdk in SDKS.values() if sdk.packages)
