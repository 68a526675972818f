"""Nothing that a Makefile holds leaves but listed names: not in an event, not in an argument of ours."""

import json
import time
from collections.abc import Callable

import pytest

from tests.attach.test_attach import make, recorded
from tests.attach.test_targets import attached, launched, scripted
from tests.transparency.developer import Developer
from tests.transparency.stage import Ended

CANARY = "canary-8b1f"
MAKEFILE = f"""\
WORD := {CANARY}
export SECRET := {CANARY}
test: {CANARY}.o {CANARY}/below other-{CANARY} | order-{CANARY} ; @echo $(WORD) $(SECRET)
{CANARY}.o order-{CANARY} other-{CANARY}: ; @echo {CANARY} >&2
{CANARY}/below: ; @$(MAKE) --no-print-directory -C {CANARY} deep-{CANARY} WORD={CANARY}
.PHONY: $(MAKECMDGOALS)
"""


@pytest.mark.parametrize("way", [attached, launched, scripted])
def test_of_a_build_only_listed_names_leave(somebody: Developer, way: Callable[..., Ended]) -> None:
    (somebody.project / "Makefile").write_text(MAKEFILE)
    (somebody.project / CANARY).mkdir()
    (somebody.project / CANARY / "Makefile").write_text(f"deep-{CANARY}: ; @echo {CANARY}; exit 0\n")
    assert 0 == way(somebody, "test", f"ARGUMENT={CANARY}").status
    recorded(somebody)
    (log,) = (somebody.spool / "targets").iterdir()
    assert CANARY in log.read_text(), "it was there to be seen"

    somebody.stage("flush", [str(somebody.innerloop)]).run("flush")
    (sealed,) = (somebody.spool / "sealed").iterdir()
    events = sealed.read_bytes().split(b"\n")[1:-1]
    assert 7 == len(events)
    assert CANARY.encode() not in b"\n".join(events)
    targets = sorted(json.loads(event)["properties"]["target"] for event in events[1:])
    assert ["other"] * 5 + ["test"] == targets


def test_what_a_project_no_longer_lists_does_not_leave(somebody: Developer) -> None:
    make(somebody, "test")
    recorded(somebody)
    file = somebody.project / "innerloop.toml"
    file.write_text(file.read_text().replace('"test", ', ""))
    time.sleep(0.01)

    somebody.stage("flush", [str(somebody.innerloop)]).run("flush")
    (sealed,) = (somebody.spool / "sealed").iterdir()
    assert b'"test"' not in sealed.read_bytes().split(b"\n", 1)[1]
