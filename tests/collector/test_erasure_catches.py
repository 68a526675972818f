"""The tests of erasure can fail: each protection is taken out of a copy of the collector, and the test of it notices."""

from pathlib import Path

import pytest

from tests.collector.patches import Patch, caught, copy, run

PATCHES = {
    "any secret opens": Patch(
        "lifecycle/eraser.py", "State.ERASED if claim.proof in known else State.REFUSED", "State.ERASED", "test_erasure.py::test_a_wrong_secret_deletes_nothing"
    ),
    "no secret needed": Patch(
        "lifecycle/eraser.py", "        return State.UNKNOWN", "        return State.ERASED", "test_erasure.py::test_an_id_without_a_registered_secret_is_unknown_whatever_is_stored_of_it"
    ),
    "the last secret counts": Patch(
        "store/writer.py", "if one.mark not in known:", "if True:", "test_erasure.py::test_the_first_secret_counts_also_within_one_moment_and_after_a_restart"
    ),
    "what waits proves nothing": Patch(
        "store/tombstones.py", "waiting = self._waiting_proofs(missing.values())", "waiting: dict[int, set[int]] = {}", "test_limits.py::test_the_owner_of_an_id_that_waits_has_it_forgotten_and_may_ask_again"
    ),
    "the only proof goes with what waited": Patch(
        "lifecycle/eraser.py", "        self._register(granted, proofs)\n", "", "test_limits.py::test_the_owner_of_an_id_that_waits_has_it_forgotten_and_may_ask_again"
    ),
    "whatever secret waits counts": Patch(
        "store/tombstones.py", "if first.setdefault(installation, day) == day:", "if True:", "test_limits.py::test_of_several_secrets_that_wait_those_of_the_first_day_count"
    ),
    "what is let in meanwhile is overlooked": Patch(
        "store/tombstones.py", "            registered |= self.proofs(missing)\n", "", "test_limits.py::test_an_id_that_is_let_in_while_its_owner_asks_is_known"
    ),
    "part of a malformed registration counts": Patch(
        "ingest/messages.py",
        "    if not all(user and isinstance(given, str) and _SHA256.fullmatch(given) for user, given in erasure.items()):\n        return {}\n",
        "    erasure = {u: g for u, g in erasure.items() if isinstance(g, str)}\n",
        "test_erasure.py::test_a_malformed_registration_costs_no_event_and_registers_nothing",
    ),
    "a registration waits for an event that is kept": Patch(
        "ingest/routes.py", "if found.accepted or found.quarantined or found.registrations:", "if found.accepted or found.quarantined:", "test_erasure.py::test_a_registration_is_durable_before_its_batch_is_answered_also_if_no_event_of_it_is_kept"
    ),
    "a registration needs no event": Patch(
        "ingest/routes.py", "registrations.items() if one in theirs}", "registrations.items()}", "test_erasure.py::test_a_registration_needs_an_event_of_its_id_in_the_same_batch"
    ),
    "an id that can be guessed may be registered": Patch(
        "ingest/messages.py", " if _MADE_ID.fullmatch(user)}", "}", "test_erasure.py::test_nobody_takes_over_an_id_that_can_be_guessed"
    ),
    "late events are kept": Patch(
        "store/writer.py", "if row[INSTALLATION] in erased:", "if False:", "test_erasure_gone.py::test_an_event_that_races_with_its_erasure_does_not_survive_it"
    ),
    "late events wait": Patch(
        "store/writer.py", "if waiter.installation in erased:", "if False:", "test_erasure.py::test_what_arrives_after_the_erasure_is_acknowledged_and_not_kept"
    ),
    "tombstones are not read at the start": Patch(
        "lifecycle/eraser.py", "self._tombstones.add(row.mark for row in rows)", "pass", "test_erasure.py::test_what_arrives_after_the_erasure_is_acknowledged_and_not_kept"
    ),
    "quarantine is left out": Patch(
        "db/schema.py", '("events", "quarantine")', '("events",)', "test_erasure.py::test_nothing_of_an_erased_id_comes_out_of_quarantine"
    ),
    "tombstones of one project count in all": Patch(
        "store/keyed_hash.py", 'self._number(b"installation", project, user_id)', 'self._number(b"installation", "", user_id)', "test_erasure.py::test_two_projects_with_one_id_are_erased_apart"
    ),
    "receipts of one project are shown to all": Patch(
        "store/tombstones.py", '" AND project = {project:String}" if project is not None else ""', '""', "test_erasure.py::test_two_projects_with_one_id_are_erased_apart"
    ),
    "tombstones hold what events hold": Patch(
        "store/keyed_hash.py", 'return self._number(b"mark", "", str(installation))', "return installation", "test_erasure_gone.py::test_the_bytes_of_what_was_erased_are_in_no_file_once_it_is_answered"
    ),
    "the mutation's file stays": Patch(
        "lifecycle/purge.py", "            self.forget_mutations()\n", "", "test_erasure_gone.py::test_the_bytes_of_what_was_erased_are_in_no_file_once_it_is_answered"
    ),
    "replaced parts are not waited for": Patch(
        "lifecycle/purge.py", "            self.wait_while(lambda: self._remains(left))\n", "", "test_erasure_gone.py::test_the_bytes_of_what_was_erased_are_in_no_file_once_it_is_answered"
    ),
    "old parts go before the new ones are on the disk": Patch(
        "lifecycle/purge.py", "            self.sync()  # the parts without", "            # the parts without", "test_erasure_gone.py::test_the_disk_has_the_new_parts_before_the_old_ones_go_and_their_end_before_the_answer"
    ),
    "a loss of power may bring old parts back": Patch(
        "lifecycle/purge.py", "            self.sync()  # no loss", "            # no loss", "test_erasure_gone.py::test_the_disk_has_the_new_parts_before_the_old_ones_go_and_their_end_before_the_answer"
    ),
    "the engine keeps dropping parts at once": Patch(
        "lifecycle/purge.py", "                after.callback(self.keep_replaced_parts, schema.KEEP_REPLACED_SECONDS, table)\n", "                pass\n", "test_erasure_gone.py::test_killed_after_any_of_its_steps_an_erasure_is_finished_by_the_next_start[rows]"
    ),
    "rows are masked only": Patch(
        "lifecycle/purge.py", 'f"ALTER TABLE {self._layout.altered(one.table)} DELETE {place} WHERE {one.where} SETTINGS mutations_sync = 0"', 'f"DELETE FROM {one.table} WHERE {one.where}"', "test_erasure_gone.py::test_the_bytes_of_what_was_erased_are_in_no_file_once_it_is_answered"
    ),
    "parts that were set aside are overlooked": Patch(
        "lifecycle/purge.py", "if self.detached_parts():", "if False:", "test_erasure_gone.py::test_rows_that_the_engine_set_aside_keep_an_erasure_from_being_called_done"
    ),
    "the next start does not go on": Patch(
        "lifecycle/eraser.py", "    def _work(self) -> None:\n        self._resume()\n", "    def _work(self) -> None:\n        self._unfinished = {}\n", "test_erasure_gone.py::test_killed_after_any_of_its_steps_an_erasure_is_finished_by_the_next_start[rows]"
    ),
    "a sweep only counts": Patch(
        "lifecycle/retention.py", "                self._core.purger.purge(self._doomed(found.today))\n", "", "test_retention.py::test_rows_go_on_the_day_after_their_last_and_their_bytes_with_them"
    ),
    "rows stay a day longer": Patch(
        "lifecycle/retention.py", '< toInt32({{today:Date}})"', '< toInt32({{today:Date}}) - 1"', "test_retention.py::test_rows_go_on_the_day_after_their_last_and_their_bytes_with_them"
    ),
    "no weekly totals": Patch(
        "lifecycle/retention.py", "                self._make_totals(found)\n", "", "test_retention.py::test_weekly_totals_of_groups_stay_when_the_rows_go_and_hold_no_id"
    ),
    "the longer promise counts": Patch(
        "lifecycle/retention.py", '_LAST = """least(', '_LAST = """greatest(', "test_retention.py::test_a_shorter_promise_counts_at_once_and_a_longer_one_for_new_events_only"
    ),
    "no cell of a total is hidden": Patch(
        "query/totals.py", "return rules.hidden([_cell(one) for one in found], developers_in)", "return frozenset()", "test_retention.py::test_what_a_report_would_hide_is_folded_into_one_row_of_enough_people"
    ),
    "backups keep the erased": Patch(
        "lifecycle/backup_catalog.py", "    kept = table.filter(compute.invert(_doomed(table, due)))\n", "    kept = table\n", "test_backup.py::test_who_was_erased_after_the_backup_does_not_come_back_and_is_gone_from_the_backup"
    ),
    "a restore believes the backup": Patch(
        "lifecycle/restore.py", "            erasure_journal.append(building.erasures, source.erasures, core.now().date())\n", "", "test_backup.py::test_who_was_erased_after_the_backup_does_not_come_back_and_is_gone_from_the_backup"
    ),
    "a restore checks no hashes": Patch(
        "lifecycle/backup_manifest.py", "if len(content) != file.bytes or hashlib.sha256(content).hexdigest() != file.sha256:", "if False:", "test_restore.py::test_a_damaged_or_foreign_backup_is_refused_in_one_line_and_leaves_nothing"
    ),
    "an unread journal is an empty one": Patch(
        "lifecycle/restore.py", "        return read_plain(path, erasure_journal.MOST_BYTES) if plain else path.read_bytes()\n    except OSError as error:\n        raise _unread(path, error.strerror, mend) from error\n", '        return path.read_bytes()\n    except OSError:\n        return b"0 a " + b"0" * 32\n', "test_restore.py::test_a_journal_that_cannot_be_read_stops_a_restore_and_nobody_comes_back"
    ),
    "a restore takes any journal of a backup": Patch(
        "lifecycle/restore.py", "if not backup_manifest.begins_as(content, known):", "if False:", "test_restore.py::test_the_journal_in_a_backup_is_checked_as_far_as_the_manifest_knows_it"
    ),
    "a restore makes new keys": Patch(
        "lifecycle/restore.py", "return ours | theirs", "return theirs", "test_restore.py::test_a_restore_keeps_the_surviving_key_of_a_destination_that_the_backup_does_not_have"
    ),
    "no journal": Patch(
        "lifecycle/eraser.py", "            self._journal.add(tombstones, self._today())\n", "", "test_erasure_by_admin.py::test_the_journal_holds_every_erasure_and_brings_it_back_to_a_store_that_lost_it"
    ),
    "access without a secret": Patch(
        "ingest/subject_access_routes.py", 'return "known" if self._stored.hasher.proof(mark, secret_hash(wanted.secret)) in proofs else "refused"', 'return "known"', "test_seeing_what_is_kept.py::test_a_wrong_secret_an_unknown_id_and_an_erased_one_show_nothing"
    ),
    "a correction shows the receipt": Patch(
        "pipeline/clock.py", "return found - timedelta(seconds=max(step, _MINUTE)) if found > received else found", "return received if found > received else found", "test_clock.py::test_a_correction_never_shows_when_an_event_was_received"
    ),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("what", PATCHES)
def test_without_its_protection_a_test_fails(what: str, tmp_path: Path) -> None:
    patch = PATCHES[what]
    caught(copy(tmp_path, patch), patch.test)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_with_every_protection_the_same_tests_pass_on_a_copy(tmp_path: Path) -> None:
    source = copy(tmp_path)
    for test in sorted({patch.test for patch in PATCHES.values()}):
        done = run(source, test)
        assert 0 == done.returncode, done.stdout + done.stderr
