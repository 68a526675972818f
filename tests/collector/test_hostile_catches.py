"""What protects from wrong clocks, other users and hostile files matters: with each protection taken out, its test fails."""

from pathlib import Path

import pytest

from tests.collector import patches
from tests.collector.patches import Patch

PATCHES = {
    "the sweep is held against the store's note": Patch(
        "lifecycle/sweeper.py",
        "        return doubt is not None or today == self._swept or self._swept_well(today)",
        "        return today == self._swept or self._swept_well(today)",
        "test_wrong_clock.py::test_started_two_years_ahead_nothing_goes_and_everything_says_why",
    ),
    "a doubt outlives the clock that caused it": Patch(
        "lifecycle/trusted_clock.py",
        "            elif self._doubted is None or self._stored() == self._doubted.stored:",
        "            else:",
        "test_wrong_clock.py::test_what_came_under_a_clock_a_year_back_is_there_when_it_is_right_again",
    ),
    "backups are rewritten by the believed clock": Patch(
        "core.py",
        "copies, self.clock.judging)",
        "copies, now)",
        "test_wrong_clock.py::test_started_two_years_ahead_nothing_goes_and_everything_says_why",
    ),
    "files are born closed": Patch(
        "config/paths.py",
        "    os.umask(0o077)",
        "    pass",
        "test_closed_to_others.py::test_serve_closes_a_directory_that_was_made_beforehand_and_everything_in_it_is_born_closed",
    ),
    "an open directory is closed": Patch(
        "config/paths.py",
        "                os.chmod(path, stat.S_IMODE(path.stat().st_mode) & ~0o077)",
        "                return opened",
        "test_closed_to_others.py::test_serve_closes_a_directory_that_was_made_beforehand_and_everything_in_it_is_born_closed",
    ),
    "what is another's is refused": Patch(
        "config/paths.py",
        "            if owner not in ours:",
        "            if False:",
        "test_closed_to_others.py::test_root_uses_the_directory_of_any_one_user_and_nothing_of_a_second",
    ),
    "names of tables come from the schema": Patch(
        "lifecycle/backup_manifest.py",
        "        if name not in TABLES:",
        "        if False:",
        "test_hostile_backup.py::test_a_manifest_chooses_no_name_no_path_and_no_number[a table function in the place of a table]",
    ),
    "names of files lead nowhere else": Patch(
        "lifecycle/backup_manifest.py",
        "        if not _FILE.fullmatch(file.path):",
        "        if False:",
        "test_hostile_backup.py::test_a_manifest_chooses_no_name_no_path_and_no_number[a path of the manifest itself]",
    ),
    "a journal is whole": Patch(
        "lifecycle/restore.py",
        "    if number := erasure_journal.strange_line(content):",
        "    if number := 0:",
        "test_hostile_backup.py::test_a_journal_with_a_line_that_is_none_is_refused_whole[DROP TABLE events]",
    ),
    "a list in a backup has nothing removed": Patch(
        "lifecycle/backup_catalog.py",
        "    return [Known(one.path, one.made) for one in read(directory / NAME) if one.made]",
        "    return read(directory / NAME)",
        "test_hostile_backup.py::test_a_list_of_backups_in_a_backup_has_nothing_removed",
    ),
    "a project file has a bounded reader": Patch(
        "admin/project_operations.py",
        "        return read(loads(text), key_needed=False)",
        "        return read(__import__('tomllib').loads(text), key_needed=False)",
        "test_hostile_project_file.py::test_a_hostile_project_file_is_refused_at_once_and_takes_no_memory[dotted keys side by side]",
    ),
}


@pytest.mark.slow
@pytest.mark.timeout(240)
@pytest.mark.parametrize("name", PATCHES)
def test_without_this_protection_its_test_fails(name: str, tmp_path: Path) -> None:
    patches.caught(patches.copy(tmp_path, PATCHES[name]), PATCHES[name].test)
