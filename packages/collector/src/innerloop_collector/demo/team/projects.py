"""What the simulated team works on: six projects and their commands."""

from typing import NamedTuple


class Command(NamedTuple):
    """A command of a project, as its usual developer meets it."""

    name: str
    seconds: float  # the median where little is to be done
    weight: float  # how often it is typed, beside the others
    fails: float  # the share that fails
    targets: tuple[tuple[str, float], ...] = ()  # make targets inside it, with their shares of its time
    session: bool = False  # a server or watcher: it is used, not waited for
    adopted: float = 1.0  # the share of developers who know it at all


class Project(NamedTuple):
    """A project of the simulated organisation."""

    id: str
    title: str
    share: float  # of the developers, as their main project
    in_container: bool
    ci_runs: float  # of CI on a working day
    commands: tuple[Command, ...]

    @property
    def name(self) -> str:
        """Its name for people: no output shows it without the word."""
        return f"{self.title} (simulated)"

    @property
    def sessions(self) -> list[str]:
        """The commands that are used, and not waited for."""
        return [one.name for one in self.commands if one.session]

    @property
    def checks(self) -> list[str]:
        """The names whose failures are information."""
        return [name for name in self.names if name in _CHECKS]

    def command(self, name: str) -> Command:
        """The command with a name."""
        return next(one for one in self.commands if one.name == name)

    @property
    def names(self) -> list[str]:
        """The names that may leave: commands and targets."""
        return list(dict.fromkeys([*(one.name for one in self.commands), *(name for one in self.commands for name, _ in one.targets)]))


_CHECKS = ("test", "test-changed", "lint", "linkcheck", "spell", "unit", "browser")
_BUILD = (("compile", 0.6), ("link", 0.25))

PROJECTS = (
    Project("simulated-shop", "Shop", 0.30, False, 16, (
        Command("build", 45, 5.0, 0.12, (("compile", 0.6), ("bundle", 0.3))),
        Command("test", 90, 4.0, 0.25, (("unit", 0.35), ("browser", 0.65))),
        Command("lint", 9, 3.0, 0.15),
        Command("migrate", 15, 2.0, 0.08),
        Command("setup", 240, 0.3, 0.20),
        Command("serve", 2_400, 0.7, 0.10, session=True),
        Command("watch", 3_600, 0.4, 0.05, session=True),
        Command("test-changed", 12, 2.0, 0.20, adopted=0.15),
    )),
    Project("simulated-platform", "Platform", 0.225, True, 20, (
        Command("build", 120, 4.5, 0.15, _BUILD),
        Command("test", 60, 4.0, 0.22, (("unit", 0.8),)),
        Command("lint", 6, 2.5, 0.12),
        Command("deps", 30, 1.5, 0.25),
        Command("image", 180, 0.9, 0.10),
        Command("up", 5_400, 0.6, 0.12, session=True),
    )),
    Project("simulated-mobile", "Mobile", 0.175, False, 12, (
        Command("build", 150, 4.0, 0.14, (("compile", 0.65), ("package", 0.15))),
        Command("test", 75, 3.5, 0.22, (("unit", 0.9),)),
        Command("lint", 10, 2.5, 0.10),
        Command("install", 40, 2.0, 0.12),
        Command("run", 900, 1.0, 0.10, session=True),
    )),
    Project("simulated-data", "Data", 0.125, True, 0, (
        Command("test", 100, 4.0, 0.20, (("unit", 0.7),)),
        Command("build", 30, 3.5, 0.10),
        Command("load", 60, 3.0, 0.12),
        Command("lint", 5, 2.0, 0.10),
        Command("notebook", 7_200, 0.6, 0.05, session=True),
    )),
    Project("simulated-firmware", "Firmware", 0.1125, False, 8, (
        Command("build", 90, 5.0, 0.15, _BUILD),
        Command("flash", 25, 3.0, 0.10),
        Command("test", 40, 2.5, 0.20, (("unit", 0.9),)),
        Command("lint", 4, 1.5, 0.10),
        Command("monitor", 1_200, 0.8, 0.05, session=True),
    )),
    Project("simulated-docs", "Docs", 0.0625, False, 0, (
        Command("html", 35, 4.0, 0.10, (("pages", 0.9),)),
        Command("linkcheck", 90, 1.5, 0.20),
        Command("spell", 6, 1.5, 0.15),
        Command("serve", 1_800, 0.8, 0.05, session=True),
    )),
)  # fmt: skip
