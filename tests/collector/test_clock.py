"""Clients' clocks are wrong (C44): times are set right by the clock of the collector, and nothing can be read from how."""

from datetime import UTC, datetime, timedelta

import pytest

from innerloop_collector.pipeline.clock import corrected, skew
from tests.collector.support import Collector, project, run_event

NOW = datetime(2026, 11, 24, 14, 50, 21, 123456, tzinfo=UTC)
HOUR = timedelta(hours=1)


def _cut(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)


@pytest.mark.parametrize(
    "behind", [timedelta(minutes=2), 3 * HOUR, timedelta(days=40), -3 * HOUR, timedelta(days=-700), timedelta(days=9000)]
)
@pytest.mark.parametrize("ago", [timedelta(), timedelta(minutes=35), timedelta(hours=49)])
def test_a_moved_clock_is_set_right_to_the_hour(behind: timedelta, ago: timedelta) -> None:
    true = NOW - ago
    found = corrected(_cut(true - behind), skew((NOW - behind).isoformat(), NOW), "hour", NOW)

    assert abs(found - true) <= HOUR
    assert found == _cut(found), "on the steps that were agreed"
    assert found <= NOW


def test_a_correction_never_shows_when_an_event_was_received() -> None:
    for granularity in ("hour", "minute", "second", "exact"):
        for minutes in range(-200, 200, 7):
            behind = timedelta(minutes=minutes, seconds=17.4)
            time = (NOW - behind).replace(second=0, microsecond=0)
            found = corrected(time, skew((NOW - behind).isoformat(), NOW), granularity, NOW)
            assert (found - time).total_seconds() % 60 == 0
            assert found != NOW


def test_less_than_a_minute_is_transport() -> None:
    assert [0.0, 0.0, 0.0, 60.0, -120.0] == [
        skew(sent, NOW)
        for sent in (None, "yesterday", (NOW - timedelta(seconds=59)).isoformat(), (NOW - timedelta(seconds=61)).isoformat(), (NOW + timedelta(seconds=110)).isoformat())
    ]  # fmt: skip


@pytest.mark.slow
def test_a_clock_that_is_years_off_is_set_right_and_both_times_are_possible(collector: Collector) -> None:
    for days in (-9000, -700, 500):
        sent = datetime.now(UTC) + timedelta(days=days)
        event = run_event(ago=timedelta(days=-days, hours=5))
        collector.send(event, sent_at=sent.isoformat())
        collector.send(event, sent_at=(sent + timedelta(hours=2)).isoformat())
    assert (3, {}) == (collector.stored, collector.reasons())
    collector.stop()

    expected = (_cut(datetime.now(UTC)) - timedelta(hours=5)).strftime("%Y-%m-%d %H")
    rows = collector.rows("SELECT toString(event_time), toString(corrected_time) FROM events")
    assert {(expected, expected)} == {(own[:13], right[:13]) for own, right in rows}


def test_a_time_that_cannot_be_is_refused_by_the_store_whatever_the_senders_clock_says(collector: Collector) -> None:
    now = datetime.now(UTC)
    collector.send(run_event(ago=timedelta(days=367)))
    collector.send(run_event(ago=timedelta(days=367)), sent_at=(now - timedelta(hours=5)).isoformat())
    collector.send(run_event(), sent_at=(now + timedelta(days=400)).isoformat())
    collector.send(run_event(), sent_at="0001-01-01T00:00:00Z")
    collector.send(run_event(start_time="9999-12-31T23:00:00+00:00"), sent_at="0001-01-01T00:00:00Z")

    assert (0, {"time out of range: time": 5}) == (collector.stored, collector.reasons())


@pytest.mark.slow
def test_retention_counts_from_the_corrected_time(idle: Collector) -> None:
    idle.start_with(project(project={"retention_days": 10}))
    sent = datetime.now(UTC) - timedelta(days=20)
    idle.send(run_event(ago=timedelta(days=22)), sent_at=sent.isoformat())  # two days ago, in truth
    ahead = datetime.now(UTC) + timedelta(days=20)
    idle.send(run_event(ago=timedelta(days=-8)), sent_at=ahead.isoformat())  # 28 days ago, in truth

    assert (1, 0) == (idle.stored, idle.waiting)
