"""The tests of erasure can fail: each protection is taken out of a copy of the collector, and the test of it notices."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.conftest import ROOT

SOURCE = ROOT / "packages" / "collector" / "src"


class Patch(NamedTuple):
    """One protection taken out, and the test that must fail without it."""

    file: str
    old: str
    new: str
    test: str


PATCHES = {
    "any secret opens": Patch(
        "store/eraser.py", "State.ERASED if known == claim.proof else State.REFUSED", "State.ERASED", "test_erasure.py::test_a_wrong_secret_deletes_nothing"
    ),
    "no secret needed": Patch(
        "store/eraser.py", "        return State.UNKNOWN", "        return State.ERASED", "test_erasure.py::test_an_id_without_a_registered_secret_is_unknown_whatever_is_stored_of_it"
    ),
    "the last secret counts": Patch(
        "store/writer.py", "if one.mark not in known:", "if True:", "test_erasure.py::test_the_first_secret_counts_also_within_one_moment_and_after_a_restart"
    ),
    "part of a malformed registration counts": Patch(
        "ingest/messages.py",
        "    if not all(user and isinstance(given, str) and _SHA256.fullmatch(given) for user, given in erasure.items()):\n        return []\n",
        "    erasure = {u: g for u, g in erasure.items() if isinstance(g, str)}\n",
        "test_erasure.py::test_a_malformed_registration_costs_no_event_and_registers_nothing",
    ),
    "a registration waits for an event": Patch(
        "ingest/routes.py", "if accepted or quarantined or registrations:", "if accepted or quarantined:", "test_erasure.py::test_a_registration_is_durable_before_its_batch_is_answered_also_with_no_event_in_it"
    ),
    "late events are kept": Patch(
        "store/writer.py", "if row[INSTALLATION] in erased:", "if False:", "test_erasure_gone.py::test_an_event_that_races_with_its_erasure_does_not_survive_it"
    ),
    "late events wait": Patch(
        "store/writer.py", "if waiter.installation in erased:", "if False:", "test_erasure.py::test_what_arrives_after_the_erasure_is_acknowledged_and_not_kept"
    ),
    "tombstones are not read at the start": Patch(
        "store/eraser.py", "self._tombstones.add(row.mark for row in rows)", "pass", "test_erasure.py::test_what_arrives_after_the_erasure_is_acknowledged_and_not_kept"
    ),
    "quarantine is left out": Patch(
        "store/schema.py", '("events", "quarantine")', '("events",)', "test_erasure.py::test_nothing_of_an_erased_id_comes_out_of_quarantine"
    ),
    "tombstones of one project count in all": Patch(
        "store/keyed.py", 'self._number(b"installation", project, user_id)', 'self._number(b"installation", "", user_id)', "test_erasure.py::test_two_projects_with_one_id_are_erased_apart"
    ),
    "receipts of one project are shown to all": Patch(
        "store/erasure.py", " AND project = {{project:String}}", "", "test_erasure.py::test_two_projects_with_one_id_are_erased_apart"
    ),
    "tombstones hold what events hold": Patch(
        "store/keyed.py", 'return self._number(b"mark", "", str(installation))', "return installation", "test_erasure_gone.py::test_the_bytes_of_what_was_erased_are_in_no_file_once_it_is_answered"
    ),
    "the mutation's file stays": Patch(
        "store/purge.py", "            self.forget_mutations()\n", "", "test_erasure_gone.py::test_the_bytes_of_what_was_erased_are_in_no_file_once_it_is_answered"
    ),
    "replaced parts are not waited for": Patch(
        "store/purge.py", "            self.wait_while(lambda: self._remains(left))\n", "", "test_erasure_gone.py::test_the_bytes_of_what_was_erased_are_in_no_file_once_it_is_answered"
    ),
    "old parts go before the new ones are on the disk": Patch(
        "store/purge.py", "            self.sync()  # the parts without", "            # the parts without", "test_erasure_gone.py::test_the_disk_has_the_new_parts_before_the_old_ones_go_and_their_end_before_the_answer"
    ),
    "a loss of power may bring old parts back": Patch(
        "store/purge.py", "            self.sync()  # no loss", "            # no loss", "test_erasure_gone.py::test_the_disk_has_the_new_parts_before_the_old_ones_go_and_their_end_before_the_answer"
    ),
    "the engine keeps dropping parts at once": Patch(
        "store/purge.py", "            self.keep_replaced_parts(schema.KEEP_REPLACED_SECONDS)\n", "            pass\n", "test_erasure_gone.py::test_killed_after_any_of_its_steps_an_erasure_is_finished_by_the_next_start[rows]"
    ),
    "rows are masked only": Patch(
        "store/purge.py", 'f"ALTER TABLE {one.table} DELETE {place} WHERE {one.where} SETTINGS mutations_sync = 0"', 'f"DELETE FROM {one.table} WHERE {one.where}"', "test_erasure_gone.py::test_the_bytes_of_what_was_erased_are_in_no_file_once_it_is_answered"
    ),
    "parts that were set aside are overlooked": Patch(
        "store/purge.py", "if self.detached_parts():", "if False:", "test_erasure_gone.py::test_rows_that_the_engine_set_aside_keep_an_erasure_from_being_called_done"
    ),
    "the next start does not go on": Patch(
        "store/eraser.py", "    def _work(self) -> None:\n        self._resume()\n", "    def _work(self) -> None:\n        self._unfinished = {}\n", "test_erasure_gone.py::test_killed_after_any_of_its_steps_an_erasure_is_finished_by_the_next_start[rows]"
    ),
}  # fmt: skip


def _run(source: Path, test: str) -> "subprocess.CompletedProcess[str]":
    """Run one test on a collector of its own."""
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-o", "addopts=--import-mode=importlib", f"tests/collector/{test}"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(source)},
        capture_output=True,
        text=True,
        check=False,
        timeout=280,
    )  # fmt: skip


def _copy(directory: Path) -> Path:
    return Path(shutil.copytree(SOURCE, directory / "src", ignore=shutil.ignore_patterns("__pycache__")))


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("what", PATCHES)
def test_without_its_protection_a_test_fails(what: str, tmp_path: Path) -> None:
    patch = PATCHES[what]
    source = _copy(tmp_path)
    file = source / "innerloop_collector" / patch.file
    text = file.read_text()
    assert 1 == text.count(patch.old), "the patch does not fit the source any more"
    file.write_text(text.replace(patch.old, patch.new))
    done = _run(source, patch.test)

    assert 1 == done.returncode, done.stdout + done.stderr  # 1: tests ran and failed
    assert "failed" in done.stdout
    assert "SyntaxError" not in done.stdout


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_with_every_protection_the_same_tests_pass_on_a_copy(tmp_path: Path) -> None:
    source = _copy(tmp_path)
    for test in sorted({patch.test for patch in PATCHES.values()}):
        done = _run(source, test)
        assert 0 == done.returncode, done.stdout + done.stderr
