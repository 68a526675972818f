"""Which commands are sessions and which are checks: what the applied versions of a project file say of it."""

import json
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from innerloop.core.plan.project_reader import read
from innerloop_collector.admin.project_operations import read_project
from innerloop_collector.errors import UsageError
from innerloop_collector.store.catalogue import Catalogue, Marked, Version

NAMES = ["test", "run", "up.web", "up.api", "lint-%", "*.o", "gone", "other", "never listed"]


def catalogue(*lists: dict[str, Any]) -> Catalogue:
    """A catalogue of one project whose file said these things, one after the other, as a store keeps them."""
    versions = []
    for number, names in enumerate(lists, 1):
        file = {"project": {"id": "shop", "organisation": "E", "endpoint": "https://c.example", "write_key": "shop.x"}, "names": names}
        version = Version.of(read(file), number, 3, date(2026, 12, 1))
        versions.append(replace(version, document=json.loads(json.dumps(version.document))))
    return Catalogue({"shop": tuple(versions)})


def test_names_groups_and_stems_are_what_the_file_says() -> None:
    one = catalogue(
        {
            "allow": ["test", "run", "up.*"],
            "stems": ["web"],
            "groups": ["lint-%", "*.o"],
            "sessions": ["run", "up.*"],
            "checks": ["test", "lint-%"],
        }
    )
    assert one.marked("shop", NAMES) == Marked(frozenset({"run", "up.web"}), frozenset({"test", "lint-%"}))
    assert one.marked("shop", iter(["lint-all"])) == Marked(), "a name of a group is never in an event"


def test_the_newest_version_that_lists_a_name_decides() -> None:
    first = {"allow": ["test", "run", "gone"], "checks": ["run"], "sessions": ["gone"]}
    assert catalogue(first).marked("shop", NAMES) == Marked(frozenset({"gone"}), frozenset({"run"}))
    second = {"allow": ["test", "run"], "sessions": ["run"]}
    assert catalogue(first, second).marked("shop", NAMES) == Marked(frozenset({"run", "gone"}))
    assert catalogue(first, second, {"allow": ["run"]}).marked("shop", NAMES) == Marked(frozenset({"gone"})), "it is none any more"


def test_names_of_more_than_50_characters_are_known_as_they_leave() -> None:
    long = "a" * 60
    assert catalogue({"allow": [long], "checks": [long]}).marked("shop", ["a" * 50]).checks == {"a" * 50}


def test_a_project_that_was_never_applied_is_one_clear_error() -> None:
    with pytest.raises(UsageError, match="no project 'shop' here"):
        Catalogue().marked("shop", ["test"])


def test_a_version_without_the_new_lists_is_kept_as_it_always_was() -> None:
    (version,) = catalogue({"allow": ["test"]}).versions["shop"]
    assert version.document["names"] == {"allow": ["test"], "stems": [], "separator": ""}
    assert "groups" not in version.agreement


def test_a_list_that_cannot_be_applied_is_named_with_its_line() -> None:
    text = '[project]\nid = "shop"\norganisation = "E"\nendpoint = "https://c.example"\nwrite_key = "shop.x"\n[names]\nsessions = [\n  "run",\n]\n'
    with pytest.raises(
        UsageError, match=r"^innerloop.toml cannot be applied: line 8: names.sessions: run is in neither names.allow nor names.groups$"
    ):
        read_project(text, "innerloop.toml")
