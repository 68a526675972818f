"""Developers in a project whose GNUmakefile lets make attach, as `innerloop init` writes it."""

from pathlib import Path

import pytest

from innerloop.tools.setup import gnumakefile
from tests.conftest import Installed
from tests.transparency import developer
from tests.transparency.developer import Developer

MAKEFILE = """\
-include $(wildcard $(HOME)/.local/state/innerloop/attach.mk)
MAKEFILE_LIST := $(filter-out GNUmakefile %/attach.mk %/probe.mk,$(MAKEFILE_LIST))
include Makefile
"""
MAKEFILE = """\
test: ; @echo tested
fail: ; @exit 3
slow: ; @echo ready; sleep 0.5
waits: ; @trap 'sleep 0.3; trap - INT; kill -INT $$$$' INT; echo ready; while :; do sleep 0.05; done
dies: ; @kill -TERM $$PPID; sleep 1
nested: ; @$(MAKE) --no-print-directory test; make test
wraps: ; @innerloop run -- true; innerloop wrap ok
impl-ok: ; @:
"""


def hire(installed: Installed, base: Path, answered: str = "yes") -> Developer:
    """Make a developer of a project with a GNUmakefile of ours."""
    found = developer.hire(installed.innerloop, base, answered)
    (found.project / "Makefile").write_text(MAKEFILE)
    (found.project / "GNUmakefile").write_bytes(gnumakefile.whole("Makefile"))
    return found


@pytest.fixture
def somebody(installed: Installed, tmp_path: Path) -> Developer:
    """Somebody who agreed, for one test."""
    return hire(installed, tmp_path)
