"""The story that `innerloop-collector demo` tells, from an empty directory to two reports."""

import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from functools import partial
from pathlib import Path
from typing import Any

from innerloop_collector.demo import builds, commands, frame, texts
from innerloop_collector.demo.commands import DemoError
from innerloop_collector.demo.developers import PROJECT_FILE, Developer
from innerloop_collector.demo.progress import Progress
from innerloop_collector.demo.service import Service

PROJECT = "lua"
NAMES = ("anna", "ben", "carla", "david", "emma", "felix")
WHO_DECLINES = "gita"


def run(source: str | None, keep: str | None) -> int:
    """Run the demo on the sources in a directory, in the directory `keep` or one that goes. Return the exit status."""
    progress = Progress()

    def story(sources: Path, directory: Path) -> frame.Ending:
        _Demo(progress, sources, directory).run()
        return ending

    def ending() -> None:
        progress.heading("What to try next")
        progress.line(texts.NEXT)

    return frame.show(progress, keep, lambda: _sources(source), story)


def _sources(given: str | None) -> Path:
    commands.need({"make": "make", "gcc": "gcc", "ar": "binutils", "ranlib": "binutils"})
    if given is None:
        raise DemoError("it builds Lua 5.1; say where its sources are with --source. In a checkout of innerloop, `make demo` fetches them")
    source = Path(given).absolute()
    if not (source / "Makefile").is_file() or not (source / "src" / "lapi.c").is_file():
        raise DemoError(f"{given} does not hold the sources of Lua 5.1. In a checkout of innerloop, `make demo` fetches them")
    return source


class _Demo:
    """One showing of the demo in a directory of its own."""

    def __init__(self, progress: Progress, source: Path, directory: Path) -> None:
        self.progress = progress
        self.source = source
        self.directory = directory
        self.stopping = threading.Event()

    def run(self) -> None:
        self.progress.line(texts.INTRODUCTION)
        self.progress.heading("A collector")
        with frame.collector(
            self.progress, self.directory, "the collector starts, with its store, on a free port of this machine"
        ) as service:
            self._with_a(service)

    def _with_a(self, service: Service) -> None:
        project_file = self._set_project_up(service)
        first, *others = [Developer(name, self.directory, self.source, project_file) for name in NAMES]
        decliner = Developer(WHO_DECLINES, self.directory, self.source, project_file)
        self._ask(first)
        self._ask_the_others(others, decliner)
        self._let_them_build([first, *others], decliner)
        self._deliver([first, *others])
        self.progress.heading(f"What the team sees: innerloop-collector report {PROJECT}")
        self.progress.quote(service.report(PROJECT), "")
        self.progress.heading(f"What only {first.name} sees, on {first.name}'s own machine: innerloop report")
        self.progress.quote(first.ask("report"), "")

    def _set_project_up(self, service: Service) -> str:
        path = self.directory / PROJECT_FILE
        path.write_text(texts.project_file(PROJECT, service.address, f"{PROJECT}.to-be-created", builds.COMMANDS), encoding="utf-8")
        service.apply(path)
        text = texts.project_file(PROJECT, service.address, service.create_key(PROJECT), builds.COMMANDS)
        path.write_text(text, encoding="utf-8")
        self.progress.line(f"  project `{PROJECT}` applied, write key created; {PROJECT_FILE} goes beside Lua's own Makefile")
        return text

    def _ask(self, developer: Developer) -> None:
        self.progress.heading(f"{developer.name.capitalize()} types: innerloop run -- {' '.join(builds.first_build().command)}")
        with self.progress.busy("a first build; nobody said yes, so nothing is recorded"):
            shown = developer.build(builds.first_build())
        self.progress.quote(texts.after_make(shown))
        self._check_silence(developer)
        self.progress.heading(f"{developer.name.capitalize()} types: innerloop opt-in")
        self.progress.quote(developer.answer("yes"))

    def _check_silence(self, developer: Developer) -> None:
        if developer.ask_json("show", "pending"):
            raise DemoError(f"{developer.name} was recorded before a yes")

    def _ask_the_others(self, others: list[Developer], decliner: Developer) -> None:
        with self.progress.busy(f"{', '.join(developer.name for developer in others)} are asked the same, and say yes"):
            self._at_once([partial(developer.answer, "yes") for developer in others])
        with self.progress.busy(f"{decliner.name} is asked too, and says no"):
            decliner.answer("no")

    def _let_them_build(self, developers: list[Developer], decliner: Developer) -> None:
        self.progress.heading("Everybody builds Lua")
        days = [(developer, builds.working_day(number)) for number, developer in enumerate(developers)]
        total = sum(len(day) for _, day in days)
        work = [self._day(developer, day) for developer, day in days]
        with self.progress.busy(
            f"{total} commands by {len(developers)} people who said yes: clean and incremental builds, failures, Ctrl-C"
        ):
            self._at_once(work)
        with self.progress.busy(f"a command by {decliner.name}, who said no"):
            decliner.build(builds.small_build())
        self.progress.line(f"  files of innerloop in {decliner.name}'s home: {_listed(decliner)}")

    def _deliver(self, developers: list[Developer]) -> None:
        self.progress.heading("Delivery: innerloop flush")
        with self.progress.busy("everybody delivers what was recorded, over HTTP"):
            self._at_once([developer.deliver for developer in developers])
        ledger = _sum([developer.ask_json("doctor")["ledger"] for developer in developers])
        self.progress.line(f"  all six ledgers together, in runs: {texts.ledger(ledger)}")
        if ledger["recorded"] != ledger["acknowledged"]:
            raise DemoError("some runs were recorded and not acknowledged")

    def _day(self, developer: Developer, day: list[builds.Build]) -> Callable[[], None]:
        def work() -> None:
            for build in day:
                if self.stopping.is_set():
                    return
                developer.build(build)

        return work

    def _at_once(self, work: Sequence[Callable[[], object]]) -> None:
        """Do several people's work side by side, as many at a time as there are processors."""
        with ThreadPoolExecutor(max_workers=os.cpu_count() or 2) as pool:
            futures = [pool.submit(piece) for piece in work]
            try:
                for number, future in enumerate(as_completed(futures), 1):
                    future.result()
                    self.progress.note(f"{number} of {len(work)}")
            except BaseException:
                self.stopping.set()
                pool.shutdown(cancel_futures=True)
                raise


def _sum(ledgers: list[dict[str, Any]]) -> dict[str, int]:
    """Add the ledgers up, place by place."""
    total: dict[str, int] = {}
    for ledger in ledgers:
        for where, count in ledger.items():
            total[where] = total.get(where, 0) + (sum(count.values()) if isinstance(count, dict) else int(count))
    return total


def _listed(developer: Developer) -> str:
    names = [str(path.relative_to(developer.home)) for path in developer.files_of_innerloop()]
    return ", ".join(names) or "none"
