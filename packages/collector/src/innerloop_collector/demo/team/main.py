"""The story that `innerloop-collector demo --team` tells: a year of a simulated team, and what the team sees of it."""

import json
import secrets
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from innerloop_collector.demo import frame
from innerloop_collector.demo.commands import DemoError
from innerloop_collector.demo.progress import Progress
from innerloop_collector.demo.service import Service
from innerloop_collector.demo.team import alerted as alerts
from innerloop_collector.demo.team import plan_file, registered, texts
from innerloop_collector.demo.team.alerted import Alerted
from innerloop_collector.demo.team.people import Team, people
from innerloop_collector.demo.team.planted import PLANTED, Planted, Truth
from innerloop_collector.demo.team.projects import PROJECTS, Project
from innerloop_collector.demo.team.send import Collector, ahead, connections
from innerloop_collector.demo.team.simulate import Day, days

_GRACE = timedelta(days=2)  # until a week is closed
_MONTH = 28  # days between two looks at alerts: what was told stays in sight for a quarter
_QUARTER = 91  # days between two lines where no line moves
_SETTINGS = {
    "INNERLOOP_COLLECTOR_LIMITS_EVENTS_PER_SECOND": "0",  # a day passes in a third of a second
    "INNERLOOP_COLLECTOR_STORE_LINGER_SECONDS": "0.02",
    "INNERLOOP_COLLECTOR_SERVER_LOG_LEVEL": "warning",
}


class Options(NamedTuple):
    """What was asked for."""

    seed: int = 1
    developers: int = 80
    weeks: int = 52
    ending: date | None = None  # a day of the week after the last one; None: today
    keep: str | None = None
    as_json: bool = False


def run(options: Options) -> int:
    """Run the demo. Return the exit status."""
    progress = Progress(sys.stderr if options.as_json else None)

    def story(team: Team, directory: Path) -> frame.Ending:
        return partial(ending, _Demo(progress, team, directory).run())

    def ending(answer: dict[str, object]) -> None:
        if options.as_json:
            print(json.dumps({**answer, "seconds": round(progress.seconds(), 1), "kept": options.keep}, indent=1))
        else:
            progress.heading("What to try next")
            progress.line(texts.after(options.keep))

    return frame.show(progress, options.keep, lambda: team_of(options, datetime.now(UTC).date()), story)


def team_of(options: Options, today: date) -> Team:
    """The team whose last week is the newest that is closed: no simulated time is later than today."""
    last = (options.ending or today) - _GRACE
    end = last - timedelta(days=last.weekday())
    return Team(options.seed, options.developers, options.weeks, end - timedelta(weeks=options.weeks))


class _Demo:
    """One showing of the demo in a directory of its own."""

    def __init__(self, progress: Progress, team: Team, directory: Path) -> None:
        self.progress = progress
        self.team = team
        self.directory = directory

    def run(self) -> dict[str, object]:
        progress, team = self.progress, self.team
        progress.line(texts.introduction(team))
        progress.heading("A collector whose clock is simulated")
        began = datetime.combine(team.begin, time(), UTC).isoformat()
        settings = {**_SETTINGS, "INNERLOOP_COLLECTOR_STORE_SIMULATED_CLOCK": began}
        with frame.collector(progress, self.directory, f"it starts, with a throw-away store, at {began}", settings) as service:
            return self._with_a(service)

    def _with_a(self, service: Service) -> dict[str, object]:
        progress, truth = self.progress, Truth()
        with progress.busy(f"{len(PROJECTS)} projects are applied, each with a write key"):
            collector = Collector(service.address, service.token)
            installations = people(self.team)
            for project in PROJECTS:
                self._set_up(service.address, collector, project, plan_file.headcount(project, installations))
        progress.heading("Simulated developers work")
        with progress.busy(f"{self.team.weeks} weeks, delivered over HTTP day by day"):
            alerted = self._live_through(collector, truth)
        self._check(collector, truth)
        plan = self.directory / "planted.json"
        plan.write_text(plan_file.text(self.team, truth), encoding="utf-8")
        progress.heading("What is in the store (simulated)")
        progress.line(texts.contents(self.team, truth))
        progress.heading("What was planted (simulated)")
        progress.line(texts.planted(self.team))
        progress.line(f"\n  with their true effects, week by week: {plan}")
        largest = PROJECTS[0].id
        progress.heading(f"What the team sees: innerloop-collector report {largest}")
        progress.quote(service.report(largest), "")
        progress.heading(f"What was published, block by block: innerloop-collector trends {largest}")
        progress.quote(service.trends(largest), "")
        verdicts = self._verdicts(collector)
        progress.heading("What was planted, and what verdicts said (simulated)")
        progress.line(texts.verdicts(verdicts))
        progress.heading("What became slower, and what alerts told of it (simulated)")
        progress.line(texts.alerts(alerted, self.team))
        progress.heading("Three verdicts, as innerloop-collector impact tells them (simulated)")
        progress.line(texts.sentences(verdicts))
        return {
            "simulated": True, "plan": str(plan), "data": str(service.data), "events": collector.acknowledged,
            "runs": sum(count for (_, kind, _), count in truth.events.items() if kind == "run"), "planted": len(PLANTED),
            "verdicts": [{"change": one.name, "sentence": found["sentence"], "next": found["next"], "told": texts.told(found)} for one, found in verdicts],
            "alerts": alerts.document(alerted, self.team),
        }  # fmt: skip

    def _set_up(self, address: str, collector: Collector, project: Project, headcount: int) -> None:
        key = f"{project.id}.{secrets.token_urlsafe(24)}"
        text = texts.project_file(project, address, key)
        (self.directory / f"{project.id}.toml").write_text(text, encoding="utf-8")
        collector.apply(project.id, text, key, headcount)

    def _live_through(self, collector: Collector, truth: Truth) -> Alerted:
        waiting, alerted = registered.records(self.team), Alerted()
        with connections() as pool, closing(ahead(days(self.team, truth))) as simulated:
            for day in self._noting(simulated, collector):
                collector.deliver(day, pool)
                while waiting and waiting[0]["date"] <= str(day.moment.date()):
                    collector.ask("changes.add", **waiting.pop(0))
                if (day.moment.date() - self.team.begin).days % _MONTH == 0:
                    alerted.note(collector.ask("alerts"))
        collector.move(datetime.combine(self.team.end + _GRACE, time(0, 30), UTC))
        alerted.note(collector.ask("alerts"))
        return alerted

    def _verdicts(self, collector: Collector) -> list[tuple[Planted, dict[str, Any]]]:
        """What was planted and registered, with what was published of it."""
        return [(one, collector.ask("impact", project=one.project, change=one.name)) for one in registered.begun(self.team)]

    def _noting(self, simulated: Iterator[Day], collector: Collector) -> Iterator[Day]:
        for day in simulated:
            where = f"{day.moment:%Y-%m-%d}, {collector.acknowledged:,} events"
            self.progress.note(where)
            if not self.progress.live and (day.moment.date() - self.team.begin).days % _QUARTER == _QUARTER - 1:
                self.progress.line(f"  {where}")
            yield day

    def _check(self, collector: Collector, truth: Truth) -> None:
        """Nothing of what was simulated may be missing."""
        found, made = collector.ask("check"), truth.events.total()
        if not found["events"] == collector.acknowledged == made:
            raise DemoError(
                f"{made} events were simulated, {collector.acknowledged} acknowledged, and the store holds {found['events']} "
                f"and {found['quarantined']} in quarantine"
            )
