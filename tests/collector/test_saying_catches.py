"""The tests of what is said can fail: each protection is taken out of a copy of the collector, and the test of it notices."""

from pathlib import Path

import pytest

from tests.collector.patches import Patch, caught, copy, run

PATCHES = {
    "what comes in today changes the report of today": Patch(
        "query/queries.py", "received_day < {until:Date} AND ", "", "test_whole_weeks.py::test_nothing_that_comes_in_during_a_week_changes_its_report"
    ),
    "the running week is shown": Patch(
        "query/windows.py", "if self.running else self.monday", "if True else self.monday", "test_rules.py::test_windows_are_whole_weeks_that_are_over_and_of_a_throw_away_store_the_running_one_too"
    ),
    "what goes this week counts until it goes": Patch(
        "reports/team.py", "(chosen.monday + timedelta(days=6), chosen.monday)", "(today, chosen.monday)", "test_whole_weeks.py::test_what_goes_in_the_running_week_is_gone_from_its_report_since_its_first_day"
    ),
    "totals of the running week are told": Patch(
        "admin/data_operations.py", 'if row["week"] < running or self.core.throw_away', "", "test_whole_weeks.py::test_totals_of_a_week_are_told_when_it_is_over"
    ),
    "a store that is kept can be made a throw-away store": Patch(
        "core.py", "    if new:\n", "    if new or wanted:\n", "test_whole_weeks.py::test_a_store_that_was_made_to_be_kept_is_never_switched_and_a_throw_away_store_neither"
    ),
    "a throw-away store is shown to everybody": Patch(
        "web/app.py", "    if core.throw_away:\n", "    if False:\n", "test_whole_weeks.py::test_a_throw_away_store_is_served_to_this_machine_only[another interface]"
    ),
    "what waits fails no check": Patch(
        "admin/checks.py", "note=not kept and one.last_day < today - _STILL_COMES", "note=True", "test_what_waits.py::test_check_fails_and_names_the_project_and_the_day_on_which_it_goes_for_each_reason"
    ),
    "anybody learns which project waits": Patch(
        "web/app.py", "by_reason[one.reason] = min(", "by_reason[one.project + one.reason] = min(", "test_what_waits.py::test_readyz_is_ready_and_says_in_its_detail_that_something_waits_to_anybody_without_naming_a_project"
    ),
    "a report says nothing of what waits": Patch(
        "reports/team.py", "for reason, day in self._queries.waiting())", "for reason, day in ())", "test_what_waits.py::test_the_teams_report_says_it_as_text_and_as_json_and_counts_nothing"
    ),
    "a wrong type passes for absent": Patch(
        "ingest/messages.py", "malformed=_malformed(item, message, digest),", "malformed=(),", "test_types.py::test_an_id_of_a_wrong_type_is_not_passed_over_for_the_other_one"
    ),
    "a call that is nested deeply is a failure": Patch(
        "http/request_body.py", "except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):\n        raise bad_request(otherwise)", "except (msgspec.MsgspecError, UnicodeDecodeError):\n        raise bad_request(otherwise)", "test_deep_and_huge.py::test_what_lies_too_deep_is_refused_on_every_route[lists]"
    ),
    "a terminal obeys": Patch(
        "terminal/escaping.py", 'return text if text.isprintable() else "".join(map(_shown, text))', "return text", "test_what_is_printed.py::test_what_a_service_elsewhere_answers_is_shown_also_where_it_is_an_error[text]"
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
    done = run(copy(tmp_path), *sorted({patch.test for patch in PATCHES.values()}))
    assert 0 == done.returncode, done.stdout + done.stderr
