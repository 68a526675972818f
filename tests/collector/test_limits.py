"""How much a write key may send, how fast and from how many ids: what goes beyond is refused with a reason, and nobody else notices."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from innerloop_collector.store.keyed_hash import Hasher
from innerloop_collector.store.tombstones import Erasures
from tests.collector.asking import asked
from tests.collector.support import KEY, PROJECT, Collector, Owner, digest_of, project, run_event

Made = Callable[[], Collector]


def limited(made: Made, **limits: float) -> Collector:
    """A running collector with some limits of its own."""
    collector = made()
    collector.environment |= {f"INNERLOOP_COLLECTOR_LIMITS_{name.upper()}": str(value) for name, value in limits.items()}
    return collector.start_with()


def batch(count: int, user: str | None = None) -> dict[str, Any]:
    return {"batch": [run_event(user) for _ in range(count)]}


def forgotten(collector: Collector, *owners: Owner) -> list[tuple[str, int]]:
    return [(one["state"], one["events"]) for one in collector.forget(*owners)["ids"]]


def metrics(collector: Collector) -> str:
    return collector.http.get(collector.url + "/metrics").text


# Rate


def test_a_key_that_sends_too_fast_is_told_when_it_may_go_on_and_that_is_true(new_collector: Made) -> None:
    collector = limited(new_collector, events_per_second=10, burst_events=20)
    other = collector.cli("keys", "create", "acme").stdout.strip()
    assert 200 == collector.post("/v1/batch", batch(20)).status_code
    refused = collector.post("/v1/batch", batch(15))
    assert 429 == refused.status_code
    wait = int(refused.headers["Retry-After"])

    assert (429, "too_fast", False) == (refused.status_code, refused.json()["code"], refused.json()["success"])
    assert wait in (1, 2)
    assert str(wait) == refused.headers["X-RateLimit-Reset"]
    assert 200 == collector.post("/v1/batch", batch(20), other).status_code, "one key's haste is not another's"
    assert 'innerloop_events_total{result="refused"} 15.0' in metrics(collector)
    time.sleep(wait)
    assert 200 == collector.post("/v1/batch", batch(15)).status_code
    assert 55 == collector.stored


def test_a_batch_larger_than_the_burst_passes_once_and_nobody_waits_for_longer_than_an_sdk_would(new_collector: Made) -> None:
    collector = limited(new_collector, events_per_second=0.01, burst_events=10)
    refused = [collector.post("/v1/batch", batch(50)) for _ in range(2)][1]

    assert (429, "300", 50) == (refused.status_code, refused.headers["Retry-After"], collector.stored)


def test_asking_about_ids_has_a_rate_of_its_own(new_collector: Made) -> None:
    collector = limited(new_collector, events_per_second=1, burst_events=20)
    owner = Owner()
    collector.send(*(run_event(owner.id) for _ in range(20)), owners=[owner])
    claims = {"ids": [Owner().claim for _ in range(19)] + [owner.claim]}
    first = collector.post("/v1/forget", claims)
    others = [collector.post("/v1/access", claims), collector.post("/v1/forget", claims)]

    assert (200, "erased", 20) == (first.status_code, first.json()["ids"][-1]["state"], first.json()["ids"][-1]["events"]), (
        "sending is apart"
    )
    assert [429, 429] == [one.status_code for one in others]
    assert ["too_fast", "too_fast"] == [one.json()["code"] for one in others]
    assert all(1 <= int(one.headers["Retry-After"]) <= 20 for one in others)
    assert 'innerloop_events_total{result="refused"} 0.0' in metrics(collector)


# New ids


def test_without_a_headcount_20_new_ids_a_day_come_in_and_with_one_as_many_as_there_are_developers(idle: Collector) -> None:
    """A real team of 200 that begins on one day: one word of its operator, and nobody waits."""
    del idle.environment["INNERLOOP_COLLECTOR_LIMITS_NEW_IDS_PER_DAY"]
    idle.start()
    assert (
        "more than 20 new developers a day wait in quarantine; are there more? Say --headcount N"
        in idle.cli("projects", "apply", str(idle.write(PROJECT))).stdout
    )
    asked(idle, "keys.create", project="acme", secret=KEY)
    idle.send(*(run_event(f"developer {number}") for number in range(60)))
    assert {"too many new ids": 40} == idle.reasons()
    (said,) = (one["text"] for one in asked(idle, "check").json()["findings"] if one["about"] == "quarantine")
    assert "projects apply FILE --headcount N, or let these in with: innerloop-collector ids release acme" in said
    assert '"mend":"say how many developers there are: innerloop-collector projects apply FILE --headcount N"' in idle.log.replace(
        '": "', '":"'
    )

    answer = idle.apply(PROJECT, "--headcount", "200")
    assert (40, 0, 200) == (answer["released"], answer["still_quarantined"], answer["new_ids_per_day"])
    idle.send(*(run_event(f"developer {number}") for number in range(200)))
    assert {} == idle.reasons()
    idle.send(*(run_event(f"made up {number}") for number in range(300)))
    assert idle.reasons()["too many new ids"] >= 300 - 200, "a key brings no more than there are developers"


@pytest.mark.slow
def test_ids_beyond_those_of_a_day_wait_until_somebody_lets_them_in(new_collector: Made) -> None:
    collector = limited(new_collector, new_ids_per_day=3)
    known, late = ["a", "b", "c"], ["d", "e"]
    collector.send(*(run_event(user) for user in [*known, *late, *known]))
    anonymous = run_event()
    anonymous["anonymousId"] = anonymous.pop("userId")
    collector.send(anonymous)

    assert (7, {"too many new ids": 2}) == (collector.stored, collector.reasons())
    assert 1 == collector.log.count("too many new ids today")
    told = collector.cli("check")
    assert (1, True) == (told.returncode, "acme: 2 events wait in quarantine (too many new ids)" in told.stderr)
    assert 'innerloop_events_set_aside_total{reason="too many new ids"} 2.0' in metrics(collector)
    collector.stop()
    collector.start()  # and it has not forgotten who was there, nor how many
    collector.send(run_event("a"), run_event("d"))
    assert (8, {"too many new ids": 3}) == (collector.stored, collector.reasons())

    collector.apply(project(names={"allow": ["test", "build", "lint", "docs", "more"]}))
    assert 3 == collector.waiting, "only a person lets them in"
    assert {"project": "acme", "released": 3, "still_quarantined": 0} == collector.ask("ids", "release", "acme")
    collector.send(run_event("d"), run_event("e"), run_event("f"))
    assert (13, {"too many new ids": 1}) == (collector.stored, collector.reasons())
    collector.stop()

    collector.move_clock(timedelta(days=1))
    collector.start()
    collector.send(*(run_event(user) for user in ("g", "h", "i", "j", "a", "e")))
    assert (18, {"too many new ids": 2}) == (collector.stored, collector.reasons())


def test_what_does_not_fit_the_plan_uses_up_none_of_the_days_new_ids(new_collector: Made) -> None:
    collector = limited(new_collector, new_ids_per_day=2)
    collector.post("/v1/batch", {"batch": [{"type": "identify", "userId": f"made up {number}"} for number in range(3)]})
    collector.send(*(run_event(f"wrong {number}", command="not listed") for number in range(3)), run_event("a"), run_event("b"))

    assert (2, 6, 0) == (collector.stored, collector.waiting, collector.reasons().get("too many new ids", 0))


def test_a_plan_that_is_applied_later_lets_in_no_more_ids_than_a_key_may_bring_in_a_day(new_collector: Made) -> None:
    collector = limited(new_collector, new_ids_per_day=2)
    longer = project(project={"retention_days": 300})
    collector.send(*(run_event(user) for user in "abcde"), plan=digest_of(longer))
    collector.apply(longer)

    assert (2, {"too many new ids": 3}) == (collector.stored, collector.reasons())
    assert 3 == collector.ask("ids", "release", "acme")["released"]
    assert (5, 0) == (collector.stored, collector.waiting)


def test_what_waited_for_its_id_is_released_once_the_id_is_known(new_collector: Made) -> None:
    collector = limited(new_collector, new_ids_per_day=1)
    keys = [collector.cli("keys", "create", "acme").stdout.strip() for _ in range(2)]
    collector.send(run_event("a"), run_event("b"), run_event("c"))
    collector.send(run_event("b"), key=keys[0])

    assert 1 == collector.apply(PROJECT)["released"]
    assert (3, {"too many new ids": 1}) == (collector.stored, collector.reasons())
    collector.send(run_event("c"), key=keys[1])
    collector.ask("retain")
    assert (5, 0) == (collector.stored, collector.waiting), "the sweep does so too"


def test_an_event_whose_id_was_let_in_waits_for_the_reason_that_is_left(new_collector: Made) -> None:
    collector = limited(new_collector, new_ids_per_day=1)
    collector.send(run_event("a"), run_event("b"))
    collector.apply(project(fields={"arch": False}))
    assert {"project": "acme", "released": 0, "still_quarantined": 1} == collector.ask("ids", "release", "acme")

    assert {"violates the plan: unknown property: properties": 1} == collector.reasons()
    assert ["violates the plan"] == [one["reason"] for one in collector.check()["waiting"]]


def test_the_secret_of_an_id_that_waits_counts_once_the_id_is_let_in(new_collector: Made) -> None:
    collector, owner = limited(new_collector, new_ids_per_day=1), Owner()
    collector.send(run_event("a"))
    collector.send(run_event(owner.id), run_event(owner.id, command="not listed"), owners=[owner])
    collector.send(*(run_event(owner.id) for _ in range(20)))  # a client says it once
    collector.ask("ids", "release", "acme")

    assert [{"userId": owner.id, "state": "erased", "events": 22}] == collector.forget(owner)["ids"]
    assert (1, 0) == (collector.stored, collector.waiting)


def test_the_owner_of_an_id_that_waits_has_it_forgotten_and_may_ask_again(new_collector: Made) -> None:
    collector, owner, thief = limited(new_collector, new_ids_per_day=1), Owner(), Owner()
    thief.id = owner.id
    collector.send(run_event("a"))
    collector.send(run_event(owner.id), run_event(owner.id, command="not listed"), owners=[owner])
    collector.send(run_event(owner.id), run_event("b"))
    assert [("refused", 0)] == forgotten(collector, thief)
    assert 4 == collector.waiting

    assert [("refused", 0), ("erased", 3)] == forgotten(collector, thief, owner)
    assert [("erased", 0), ("refused", 0)] == forgotten(collector, owner, thief)
    collector.send(run_event(owner.id), owners=[thief])
    assert 1 == collector.ask("ids", "release", "acme")["released"]
    assert (2, 0) == (collector.stored, collector.waiting)
    assert [("erased", 0), ("refused", 0)] == forgotten(collector, owner, thief)


def test_an_id_that_waits_and_never_had_a_secret_stays_unknown(new_collector: Made) -> None:
    collector, owner = limited(new_collector, new_ids_per_day=1), Owner()
    collector.send(run_event("a"), run_event(owner.id))

    assert [("unknown", 0)] == forgotten(collector, owner)
    assert 1 == collector.waiting


def test_of_several_secrets_that_wait_those_of_the_first_day_count(new_collector: Made) -> None:
    collector, first, second = limited(new_collector, new_ids_per_day=1), Owner(), Owner()
    second.id = first.id
    collector.send(run_event("a"), run_event(first.id), owners=[first])
    collector.stop()
    collector.move_clock(timedelta(days=1))
    collector.start()
    collector.send(run_event("b"), run_event(first.id), owners=[second])

    assert [("refused", 0), ("erased", 2)] == forgotten(collector, second, first)


def test_an_id_that_is_let_in_while_its_owner_asks_is_known() -> None:
    """What waits is registered before it leaves quarantine: whoever looks for it in both places finds it in one."""
    registered: list[tuple[int, int]] = []

    class Released:
        def query(self, sql: str, _: Any) -> list[tuple[int, int]]:
            if "FROM quarantine" in sql:
                registered.append((1, 3))
                return []
            return list(registered)

    engine: Any = Released()
    assert {3} == Erasures(engine, Hasher(b"x" * 32)).known_by({1: 2}).of(1)


def test_each_key_has_new_ids_of_its_own(new_collector: Made) -> None:
    collector = limited(new_collector, new_ids_per_day=1)
    other = collector.cli("keys", "create", "acme").stdout.strip()
    collector.send(run_event("a"), run_event("b"))
    collector.send(run_event("c"), run_event("a"), key=other)

    assert (3, 1) == (collector.stored, collector.waiting)


def test_ids_from_before_anybody_counted_are_known(new_collector: Made) -> None:
    collector = new_collector().start_with()
    collector.send(*(run_event(user) for user in "abc"))
    collector.stop()
    collector.environment["INNERLOOP_COLLECTOR_LIMITS_NEW_IDS_PER_DAY"] = "4"
    collector.start()
    collector.send(*(run_event(user) for user in "abcde"))

    assert (7, 1) == (collector.stored, collector.waiting)


# Quarantine


@pytest.mark.slow
def test_what_comes_into_quarantine_is_bounded_and_the_rest_is_counted_and_not_kept(new_collector: Made) -> None:
    collector = limited(new_collector, quarantine_bytes_per_day=6_000)
    wrong = [run_event(command="not listed", arch="x" * 1_000) for _ in range(5)]
    collector.send(*wrong[:3])
    collector.send(*wrong, run_event())
    collector.send(*wrong, run_event())

    assert (2, 3) == (collector.stored, collector.waiting), "what fits goes on"
    assert 'innerloop_events_set_aside_total{reason="quarantine is full"} 4.0' in metrics(collector)
    assert 'innerloop_events_total{result="dropped"} 4.0' in metrics(collector)
    assert 1 == collector.log.count("quarantine is full today")
    assert "the quarantine of acme today" in collector.cli("check").stderr
    collector.kill()
    collector.start()  # and it has not forgotten how much there was
    collector.send(wrong[4])
    listed = collector.ask("quarantine", "violations")["violations"]
    assert (3, [8]) == (collector.waiting, [one["events"] for one in listed if not one["field"]])
    collector.apply(project(names={"allow": ["test", "not listed"]}))
    collector.stop()

    collector.move_clock(timedelta(days=1))
    collector.start()
    collector.send(*wrong[3:])
    assert 5 == collector.waiting


def test_a_full_quarantine_keeps_out_nothing_that_fits_its_plan(new_collector: Made) -> None:
    collector = limited(new_collector, quarantine_bytes_per_day=3_000, new_ids_per_day=2)
    collector.send(*(run_event(command="not listed", arch="ä" * 1_000) for _ in range(3)))
    assert 1 == collector.waiting, "what takes two bytes counts as two"
    collector.send(*(run_event() for _ in range(6)))
    collector.kill()
    collector.start()
    collector.send(*(run_event() for _ in range(3)))

    assert (2, 8) == (collector.stored, collector.waiting)
    collector.ask("ids", "release", "acme")
    assert (9, 1) == (collector.stored, collector.waiting)


def test_what_says_it_is_a_digest_takes_no_room(collector: Collector) -> None:
    """It stands in every row of what waits, and a batch may name a long one for all of its events."""
    collector.send(*(run_event() for _ in range(20)), plan="0" * 400_000)
    collector.stop()

    assert [["not a digest", 20]] == collector.rows("SELECT plan, count() FROM quarantine GROUP BY plan")
