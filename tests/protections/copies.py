"""Copies of what is under test, out of which one protection at a time is taken."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from protections import SOURCES, Protection

from tests.conftest import Installed


class Copies:
    """The installed client and the collector's sources, copied once for all protections that are taken out of them."""

    def __init__(self, installed: Installed, directory: Path) -> None:
        self._installed, self._kept = directory / "installed", directory / "kept"
        shutil.copytree(installed.directory / "client", self._installed / "client", symlinks=True, copy_function=os.link)
        for name in ("collector", "wheels"):
            (self._installed / name).symlink_to(installed.directory / name)
        local = self._installed / "home" / ".local"
        for link, target in (("bin/innerloop", "client/bin/innerloop"), ("share/uv/tools/innerloop", "client")):
            (local / link).parent.mkdir(parents=True)
            (local / link).symlink_to(self._installed / target)
        (packages,) = self._installed.glob("client/lib/python3*/site-packages")
        self._sources = {"client": packages, "collector": Path(shutil.copytree(SOURCES["collector"], directory / "collector"))}

    @contextmanager
    def without(self, one: Protection) -> Iterator[dict[str, str]]:
        """Take one protection out, and give the variables by which a test comes to work on the copy.

        The file itself is put back afterwards: its time stamp tells what was compiled of it from what was compiled of the patched one.
        """
        file, text = one.patched(SOURCES[one.distribution])
        place = self._sources[one.distribution] / file
        assert place.read_bytes() == (SOURCES[one.distribution] / file).read_bytes(), "the copy is not of this checkout"
        place.rename(self._kept)
        try:
            place.write_text(text, encoding="utf-8")
            place.chmod(self._kept.stat().st_mode)
            env = {"INNERLOOP_TEST_INSTALLED": str(self._installed)}
            yield env | ({"PYTHONPATH": str(self._sources["collector"])} if one.distribution == "collector" else {})
        finally:
            self._kept.replace(place)
