"""The ways of measuring that the table is played in, and bare make beside each."""

import shutil
from pathlib import Path

from innerloop.core.probe import place
from innerloop.tools.setup import gnumakefile
from tests.conformance.play import Way
from tests.kept import keep
from tests.transparency.developer import Developer

PATH = "/usr/local/bin:/usr/bin:/bin"
CORE = ("probe", "shell", "flags", "fallback")  # the mode that the probe chooses, two that are forced, and the shim in sh
CHOSEN = "$(eval $(value .innerloop-choose))"
FORCE = """
define .innerloop-force
$(eval $(value .innerloop-find-quiet))
.innerloop-mode := {mode}
endef
"""
MODES = {
    "shell": "$(if $(filter flags,$(.innerloop-mode)),$(if $(.innerloop-standard),shell,other),$(.innerloop-mode))",
    "flags": "$(if $(.innerloop-posix),$(.innerloop-mode),$(if $(filter none,$(.innerloop-mode)),none,"
    "$(if $(filter $(.innerloop-quiet),$(.innerloop-shell)),flags,$(.innerloop-mode))))",
}


class Core:
    """Makes that the probe itself measures, without any of the rest: `MAKEFILES` and a log, set by hand."""

    def __init__(self, base: Path, makes: "Path | None" = None) -> None:
        """`makes`: a directory whose make is another one than the system's."""
        self.base = base
        self.project = base / "project"
        self.lock = keep(base / "log")
        self.env = {
            "PATH": f"{makes}:{PATH}" if makes else PATH,
            "HOME": str(base / "home"),
            "LANG": "C.UTF-8",
            "TERM": "xterm",
            "PWD": str(self.project),
        }
        (base / "home").mkdir()
        directory, reason = place.prepare(str(base / "state"))
        assert directory, reason
        self.probe = Path(directory)

    def bare(self) -> Way:
        """Make as it is."""
        return Way("bare", self.project, self.env)

    def way(self, name: str) -> Way:
        """One of CORE."""
        probe = self.probe
        if name in MODES:
            probe = self.changed(name, {"probe.mk": force(name)})
        elif name == "fallback":
            probe = self.changed(name, {"shim": (Path(place.HERE) / "shim.sh").read_text()})
        return self.measured(name, probe)

    def measured(self, name: str, probe: Path) -> Way:
        """Make with a probe."""
        return Way(name, self.project, self.env, probe=str(probe), log=self.base / "log")

    def changed(self, name: str, texts: dict[str, str]) -> Path:
        """Return the probe with other texts: of `probe.mk`, where @DIR@ is its directory, or of `shim`, a script in the place of the shim."""
        directory = self.base / "changed" / name
        if directory.exists():
            return directory
        shutil.copytree(self.probe, directory)
        for text in (path for path in directory.rglob("*.??") if path.is_file()):
            text.write_text(text.read_text().replace(str(self.probe), str(directory)))
        if "probe.mk" in texts:
            (directory / "probe.mk").write_text(texts["probe.mk"].replace("@DIR@", str(directory)))
        if "shim" in texts:
            for link in place.LINKS:
                (directory / link).unlink()
                (directory / link).write_text(texts["shim"].replace("@DIR@", str(directory)).replace("@REAL@", str(self.probe)))
                (directory / link).chmod(0o700)
        return directory


def source() -> str:
    """The text of probe.mk as it is shipped."""
    return (Path(place.HERE) / "probe.mk").read_text()


def force(mode: str) -> str:
    """Return probe.mk with a mode where it would choose another one."""
    text = source()
    assert text.count(CHOSEN) == 1, "probe.mk chooses its mode elsewhere by now"
    return text.replace(CHOSEN, f"{CHOSEN}$(eval $(value .innerloop-force))").replace(
        "define .innerloop-tell", FORCE.format(mode=MODES[mode]).lstrip() + "define .innerloop-tell"
    )


def of_developer(developer: Developer, name: str) -> Way:
    """`attach`: the make that is typed, in a project with a GNUmakefile; `run`: `innerloop run -- make`; or `bare`."""
    keep = ("innerloop.toml",)
    if name == "bare":
        return Way("bare", developer.project, developer.env, keep=keep)
    prefix = (str(developer.innerloop), "run", "--") if name == "run" else ()
    probe = next((str(path) for path in (developer.state / "probe").glob("[0-9a-f]*")), "")
    return Way(
        name, developer.project, developer.env, prefix, keep, gnumakefile.whole("Makefile").decode() if name == "attach" else "",
        probe=probe, logs=developer.spool / "targets",
    )  # fmt: skip
