"""What a digest makes of alerts and verdicts: each is told in one week, the newest first, and no news is said."""

from datetime import UTC, date, datetime, timedelta
from typing import Any, cast

import pytest

from innerloop_collector.config.configuration import Notifications
from innerloop_collector.notifications import weekly_digest
from innerloop_collector.notifications.notices import Notices
from innerloop_collector.notifications.weekly_digest import Days, Sources
from innerloop_collector.query import Archive as ReleaseArchive
from innerloop_collector.query import Change, Evidence, Figures, Name, Verdict
from innerloop_collector.query.alerts.alert_documents import Fate
from innerloop_collector.query.releases.document import Atom, Durations, Outcomes, Release
from tests.dashboard.test_kept_reports import Projects as Registered
from tests.dashboard.test_kept_reports import Shelf as ReleaseShelf
from tests.notifications.support import NOW, Published, documents

WEEK = Days(date(2026, 11, 23), date(2026, 11, 30))
PUBLISHED_AFTER = timedelta(days=3)  # of the day that was looked at


@pytest.fixture
def published() -> Published:
    return Published()


def worse(published: Published, days: Days = WEEK) -> str:
    return weekly_digest._worse(published.alerts.of_project("acme"), days)


def test_each_fate_of_an_alert_is_told_in_the_week_in_which_it_was_published(published: Published) -> None:
    for name, day, fates in (
        ("first", WEEK.first, (Fate.OPEN, Fate.CONFIRMED)),
        ("last", WEEK.end - timedelta(days=1), (Fate.OPEN, Fate.GONE)),
        ("before", WEEK.first - timedelta(days=1), (Fate.OPEN, Fate.CONFIRMED)),
        ("after", WEEK.end, (Fate.OPEN, Fate.CONFIRMED)),
    ):
        published.add(*documents(name, day - PUBLISHED_AFTER, *fates))
    published.add(*documents("seen", WEEK.first - PUBLISHED_AFTER + timedelta(days=9), Fate.OPEN))

    said = worse(published)
    assert said.startswith("Alerts: 1 confirmed, 1 new and not confirmed yet and 1 gone; first of acme became about 20% slower")
    assert ("; seen of acme" in said, "; last of acme" in said) == (True, True)
    assert "before of acme" in worse(published, Days(WEEK.first - timedelta(days=7), WEEK.first))
    assert "after of acme" in worse(published, Days(WEEK.end, WEEK.end + timedelta(days=7)))
    assert "No alert is new, confirmed or gone (looked at up to 2026-11-27)." == worse(
        published, Days(date(2026, 10, 5), date(2026, 10, 12))
    )


def test_many_alerts_are_a_few_sentences_and_a_number(published: Published) -> None:
    for number in range(5):
        published.add(*documents(f"build-{number}", WEEK.first - PUBLISHED_AFTER + timedelta(days=number), Fate.OPEN, Fate.CONFIRMED))

    said = worse(published)
    assert (True, True, 3) == (said.startswith("Alerts: 5 confirmed; "), said.endswith("; and 2 more."), said.count(" of acme became "))


def test_creep_is_told_in_the_digest_alone(published: Published) -> None:
    published.add(*documents("build", WEEK.first - PUBLISHED_AFTER + timedelta(days=7), Fate.CREEP))
    alerts = published.alerts.of_project("acme").alerts

    said = weekly_digest._creep(alerts, WEEK)
    assert said.startswith("Little by little: build of acme became about 20% slower than half a year ago, little by little, by ")
    assert "35 to 39 developers): creep; about then appeared: version 0.2" in said
    assert worse(published).startswith("No alert is new, confirmed or gone")
    assert "Nothing new crept up; that is looked for once a block of weeks." == weekly_digest._creep(
        alerts, Days(WEEK.end, WEEK.end + timedelta(days=7))
    )


class Archive:
    """Verdicts, in memory."""

    def __init__(self, *verdicts: Verdict) -> None:
        self.verdicts = verdicts

    def of(self, _: str, change: str) -> list[Verdict]:
        return [one for one in self.verdicts if one.change == change]

    def told(self, _: Any) -> None:
        return None


def test_a_verdict_is_told_in_its_week_and_otherwise_when_the_next_one_comes() -> None:
    changes = [Change("acme", name, name, date(2026, 10, 5), (Name("acme", "build"),), (), (4, 12)) for name in ("cache", "guide")]
    made = WEEK.first + timedelta(days=2)
    verdict = Verdict(
        1, "acme", "verdict/cache-1", "cache", "The cache", changes[0].day, "duration", 1, 2, 4, changes[0].day, WEEK.first, made, 5,
        (("acme", "build"),), (), refused="another change is looked at in this block",
    )  # fmt: skip
    archive = Archive(verdict)
    evidence = Evidence(archive, archive, lambda: changes, lambda: datetime.combine(WEEK.end, datetime.min.time(), UTC))

    def told(days: Days, visible: frozenset[str] | None = None) -> str:
        return weekly_digest._verdicts(evidence, changes, days, visible)

    assert "Verdicts: cache: another change is looked at in this block." == told(WEEK)
    assert "No verdict came; the next is due on 2026-12-30, of cache." == told(Days(WEEK.end, WEEK.end + timedelta(days=7)))
    assert "No verdict came, and of no registered change one is due." == weekly_digest._verdicts(evidence, [], WEEK, None)


def test_now_is_a_day_on_which_the_digest_of_that_week_is_due(published: Published) -> None:
    assert WEEK.end == published.notices.due(NOW)


BUILD = Atom("command", "build", 100, (Outcomes(("succeeded",), 100),), (Durations((5,), 100),), 6_000_000)


def told_of_figures(now: datetime, **units: tuple[Atom, ...]) -> tuple[str, str]:
    """The first two sentences of the digest of a week that ended before a Monday, where each release has all runs, and some commands."""
    archive = ReleaseArchive(ReleaseShelf())
    for unit, commands in units.items():
        people = {"": {"": 5}, "command": {"build": 5}}
        all_runs = Atom("", "", 200 if "B" in unit else 100, waited_ms=9_000_000)
        archive.add(Release(1, "acme", f"2026-{unit}", now.date(), 7, 5, 3, (all_runs, *commands), (), people))
    figures = Figures(cast(Any, None), cast(Any, Registered()), archive, lambda: now, immediate=False)
    newest = weekly_digest._newest(figures, "acme")
    days = Days(now.date() - timedelta(days=7), now.date())
    return weekly_digest._waiting(newest.whole, days, figures, "acme"), weekly_digest._most(newest, figures)


MONDAY = datetime(2026, 11, 16, 7, tzinfo=UTC)  # in the midst of a block; the newest week that is published ended on the 8th


def test_in_a_small_team_the_newest_week_is_told_and_commands_by_the_block_with_its_own_days() -> None:
    waited, most = told_of_figures(MONDAY, B10=(BUILD,), W44=(), W45=())

    assert waited.startswith("In 2026-W45 (2026-11-02 to 2026-11-08) 5 to 9 developers waited "), "the week came, so it is news"
    assert most.startswith("In 2026-B10 (2026-09-28 to 2026-10-25), of the commands that may be told, most was waited for build (")
    assert most.endswith("; in weeks of so few people none may be told, and the next block is published on 2026-11-25.")


def test_a_larger_team_is_told_of_the_commands_of_the_same_week() -> None:
    waited, most = told_of_figures(MONDAY, B10=(BUILD,), W45=(BUILD,))

    assert waited.startswith("In 2026-W45 (2026-11-02 to 2026-11-08) ")
    assert most.startswith("Of the commands that may be told, most was waited for build (")
    assert "block" not in most


def test_that_no_new_figures_came_is_said_of_an_old_week_or_block_and_when_the_next_one_comes() -> None:
    week, _ = told_of_figures(MONDAY, B10=(BUILD,), W44=())
    block, most = told_of_figures(MONDAY, B10=(BUILD,))

    assert week.startswith("No new figures came; the next do on 2026-11-18. In 2026-W44 (")
    assert block.startswith("No new figures came; the next block of weeks is published on 2026-11-25. In 2026-B10 (")
    assert most.startswith("Of the commands that may be told, most was waited for build (")


def test_of_a_project_that_cannot_be_read_the_digest_says_so(published: Published) -> None:
    shelf = ReleaseShelf()
    shelf.kept["2026-W45"] = "{}"
    figures = Figures(cast(Any, None), cast(Any, Registered()), ReleaseArchive(shelf), lambda: MONDAY, immediate=False)
    sources = Sources(figures, published.alerts, cast(Any, None), list, lambda _: frozenset())
    notices = Notices(sources, Notifications(), throw_away=False)
    (told,) = notices.of_week(("acme",), WEEK, None, MONDAY).parts

    assert ("acme", 1) == (told.heading, len(told.sentences))
    assert told.sentences[0].startswith("What was published of this project cannot be read, so nothing is told of it; ")
