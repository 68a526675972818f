"""What each SDK does on each of our answers: stop or send again. docs/reference/http-api.md says the same."""

import contextlib
import inspect
import re
from pathlib import Path

import pytest

from innerloop_collector.http import responses
from tests.collector.support import Collector
from tests.sdks.proxy import Answer, Proxy
from tests.sdks.sdks import ROOT, SDKS, Sdk, Sending
from tests.sdks.test_delivery import order, stored

OURS = {
    400: responses.bad_request("the body is not valid JSON"),
    401: responses.unknown_key(),
    403: responses.wrong_origin(),
    404: responses.not_found("there is nothing at this address"),
    413: responses.too_large("a body may have 512000 bytes"),
    415: responses.unknown_encoding(),
    429: responses.overloaded(),
    503: responses.unavailable(),
    511: responses.stale_token(),
}
SENT_AGAIN = {
    "segment-analytics-python 2.4.0": {429, 503},
    "analytics-python 1.4.post1": {429, 503, 511},
    "rudder-sdk-python 2.1.9": {429, 503, 511},
    "@segment/analytics-node 3.1.0": {429, 503},
    "analytics-node 6.2.0": {429, 503, 511},
    "@rudderstack/rudder-sdk-node 3.0.13": {429, 503, 511},
    "the founding system's POST": set(),
}
WAIT_AS_TOLD = {"segment-analytics-python 2.4.0": {429, 503}, "@segment/analytics-node 3.1.0": {429}}
PLACES = {status: 1 + 2 * place for place, status in enumerate(OURS)}  # of the event that meets it; those between meet nothing
COUNT = 2 * len(OURS) + 1


def answer(refusal: responses.HttpError) -> Answer:
    """What the collector answers, to the byte, but for the time to wait."""
    response = refusal.response()
    headers = {**response.headers, **({"retry-after": "1"} if "retry-after" in response.headers else {})}
    del headers["content-length"]
    return Answer(response.status_code, bytes(response.body), list(headers.items()))


class Trial:
    """One SDK, whose events meet one answer each."""

    def __init__(self, collector: Collector, sdk: Sdk, first: int, directory: Path) -> None:
        self.first = first
        self.proxy = Proxy(collector.url)
        self.proxy.instead = {first + PLACES[status]: answer(refusal) for status, refusal in OURS.items()}
        one_by_one = {"upload_size": 1} if sdk.module else {"maxEventsInBatch": 1, "flushAt": 1}
        self._order = {**order(collector, sdk, first, COUNT), "options": one_by_one}
        self._sdk = sdk
        self._directory = directory

    def start(self) -> Sending:
        self._sending = Sending(self._sdk, self.proxy.url, self._order, self._directory)
        return self._sending

    def given_up(self) -> set[int]:
        """The places of the events that the SDK gave up, once it is done."""
        return {number - self.first for number in self._sending.finish(100)}

    def times(self, status: int) -> list[float]:
        """When requests came with the event that met a status (s)."""
        return [seen.at for seen in self.proxy.requests if seen.number == self.first + PLACES[status]]


@pytest.mark.slow
def test_every_sdk_stops_or_sends_again_as_the_reference_says(collector: Collector, tmp_path: Path) -> None:
    trials = {name: Trial(collector, sdk, 1 + place * 1000, tmp_path) for place, (name, sdk) in enumerate(SDKS.items())}
    with contextlib.ExitStack() as stack:
        for trial in trials.values():
            stack.enter_context(trial.proxy)
            stack.enter_context(trial.start())
        given_up = {name: trial.given_up() for name, trial in trials.items()}
    found = stored(collector)

    stops = {name: set(OURS) - again for name, again in SENT_AGAIN.items()}
    assert {name: {PLACES[status] for status in of} for name, of in stops.items()} == given_up
    assert [] == [number for number, rows in found.items() if rows != 1]
    for name, trial in trials.items():
        assert set(range(COUNT)) - given_up[name] == {number - trial.first for number in found if 0 <= number - trial.first < 1000}
        assert {1} == {len(trial.times(status)) for status in stops[name]}
        waits = {status: trial.times(status)[1] - trial.times(status)[0] for status in WAIT_AS_TOLD.get(name, ())}
        assert all(seconds >= 0.95 for seconds in waits.values()), waits


@pytest.mark.parametrize("name", SENT_AGAIN)
def test_the_reference_says_what_was_seen(name: str) -> None:
    table = (ROOT / "docs" / "reference" / "http-api.md").read_text()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines() if line.startswith("|")]
    head = next(row for row in rows if row[0] == "answer")
    column = head.index(name)
    said = {
        int(row[0].split()[0].strip("`")): row[column] for row in rows if row[0].split()[0].strip("`").isdigit() and len(row) == len(head)
    }

    assert {status for status, what in said.items() if what.startswith("again")} == SENT_AGAIN[name]
    assert set(OURS) | {200} == set(said)


def test_the_reference_names_every_code_that_a_refusal_may_carry() -> None:
    text = (ROOT / "docs" / "reference" / "http-api.md").read_text()
    codes = set(re.findall(r'HttpError\(\s*\d+, "(\w+)"', inspect.getsource(responses)))

    assert {"too_fast", "overloaded", "invalid_request"} <= codes
    assert set() == {code for code in codes if f"`{code}`" not in text}
