"""The project file comes with a clone: it is checked, cleaned, and can disturb no command."""

import os
import re
from pathlib import Path
from typing import Any

import pytest

from tests.client.people import Developer, toml
from tests.client.recorder import Recorder

COMMANDS = [["status"], ["describe"], ["opt-in"], ["opt-out"], ["show", "next"], ["flush"], ["report"]]


MALFORMED = {
    '[project]\nid = "shop"\nname = shop\n': 3,
    '[project]\n\n\nid = "shop\n': 4,
    "# one\n[project\n": 2,
    '[project]\nid = "a"\nid = "b"\n': 3,
    "[project]\nid = 2026-11-23\n": 2,
    "a = 1.5\n": 1,
}  # fmt: skip


ESCAPES = "\x1b[31m\x1b]0;title\x07\x9b\x08\r\x7f"


CONTROLS = "".join(map(chr, [*range(10), *range(11, 32), *range(127, 160)]))


HIDDEN = "\u202e\u2066\u200b\u200d\ufeff\u2028\u00ad\u061c\U000e0041\u180e"


@pytest.mark.parametrize("text", MALFORMED)
def test_a_malformed_file_is_one_line_with_its_line_number_where_a_person_asked(developer: Developer, text: str) -> None:
    developer.write(text)
    for words in COMMANDS if "name = shop" in text else COMMANDS[:1]:
        said = developer.at_terminal(developer.command, *words)
        assert said.status == 1
        assert len(said.text.splitlines()) == 1, said.text
        assert f"line {MALFORMED[text]}:" in said.text
        assert str(developer.project_file) in said.text
    doctor = developer.innerloop("doctor")
    assert f"line {MALFORMED[text]}:" in doctor.out


@pytest.mark.parametrize("text", [*MALFORMED, "", "\0", b"\xff\xfe\xff", b"\xef\xbb\xbf[project]\n", "x" * 300_000, "a = " + "[" * 5000])
def test_a_malformed_file_changes_nothing_for_a_command(agreed: Developer, server: Recorder, text: str | bytes) -> None:
    agreed.write(text)
    assert agreed.run("make", "fail") == agreed.execute("make", "fail")
    said = agreed.run_at_terminal("sh", "-c", "echo hello; exit 4")
    assert said == (4, "hello\n")
    assert agreed.recorded() == 0
    assert server.connections == 0


def test_a_file_that_cannot_be_read_changes_nothing_for_a_command(agreed: Developer) -> None:
    agreed.project_file.unlink()
    agreed.project_file.mkdir()
    assert agreed.run_at_terminal("sh", "-c", "echo hello; exit 4") == (4, "hello\n")


BAD_VALUES: list[tuple[dict[str, Any], str]] = [
    ({"project": {"id": "Shop"}}, "project.id"), ({"project": {"id": "-x"}}, "project.id"), ({"project": {"id": "x" * 41}}, "project.id"),
    ({"project": {"id": None}}, "project.id"), ({"project": {"id": 3}}, "project.id"), ({"project": {"id": "a/b"}}, "project.id"),
    ({"project": {"organisation": None}}, "project.organisation"), ({"project": {"organisation": " "}}, "project.organisation"),
    ({"project": {"write_key": None}}, "project.write_key"), ({"project": {"name": "x" * 41}}, "project.name"),
    ({"project": {"retention_days": 0}}, "retention_days"), ({"project": {"retention_days": 3651}}, "retention_days"),
    ({"project": {"retention_days": True}}, "retention_days"), ({"project": {"ask": "always"}}, "project.ask"),
    ({"fields": {"start_time": "nanosecond"}}, "fields.start_time"), ({"fields": {"os": "exact"}}, "fields.os"),
    ({"fields": {"messageId": False}}, "fields.messageId"), ({"names": {"allow": "test"}}, "names.allow"),
    ({"names": {"allow": [1]}}, "names.allow"), ({"names": {"allow": ["../api:test"]}}, "names.allow"), ({"names": {"allow": ["..:test"]}}, "names.allow"),
    ({"names": {"allow": ["/srv/api:test"]}}, "names.allow"), ({"names": {"allow": ["./api:test"]}}, "names.allow"), ({"names": {"allow": ["services//api:test"]}}, "names.allow"), ({"rename": {"nothing": "x"}}, "rename.nothing"), ({"rename": {"os": "a\u202eb"}}, "rename.os"),
    ({"events": {"run": ""}}, "events.run"), ({"recipients": [{"name": "X", "receives": "everything"}]}, "recipients.receives"),
    ({"recipients": [{"receives": "group totals"}]}, "recipients"), ({"seed": {"system": "shop"}}, "seed.system"),
    ({"seed": {"config": "~/.config/devstack/metrics.json", "test_variable": "USER"}}, "seed.system"), ({"seed": {"system": ["devstack"]}}, "seed.system"),
    ({"wording": {"thanks": "x" * 4001}}, "wording.thanks"), ({"public": {"figures": "yes"}}, "public.figures"),
    ({"renamed_from": {"unlisted": "old"}}, "renamed_from.unlisted"), ({"renamed_from": {"test": 3}}, "renamed_from.test"), ({"renamed_from": {"test": ""}}, "renamed_from.test"),
    ({"renamed_from": {"test": "test"}}, "renamed_from.test"), ({"renamed_from": {"test": ["old", "old"]}}, "renamed_from.test"), ({"renamed_from": {"test": "other"}}, "renamed_from.test"),
]  # fmt: skip


@pytest.mark.parametrize(("tables", "key"), BAD_VALUES, ids=[str(bad[0])[:60] for bad in BAD_VALUES])
def test_a_bad_value_is_one_line_that_names_its_key(developer: Developer, tables: dict[str, Any], key: str) -> None:
    done = developer.edit(**tables).innerloop("status")
    assert done.status == 1
    assert len(done.err.splitlines()) == 1
    assert key in done.err


GOOD_ENDPOINTS = {
    "http://127.0.0.1:8080": "127.0.0.1:8080", "https://api.example.org/": "api.example.org", "HTTPS://API.Example.org": "api.example.org",
    "https://b\u00fccher.example/in": "xn--bcher-kva.example", "https://\u0430pple.com": "xn--pple-43d.com", "https://example.org:8443/a/b": "example.org:8443",
    "http://[::1]:8080": "[::1]:8080",
}  # fmt: skip


BAD_ENDPOINTS = [
    "", "example.org", "ftp://example.org", "file:///etc/passwd", "https://", "https://user@example.org", "https://:secret@example.org",
    "https://example.org?x=1", "https://example.org#x", "https://example.org:99999", "https://example.org:x", "https://exa mple.org",
    "https://[::1", "javascript:alert(1)", "https://" + "a" * 64 + ".example", "https://example.org\\@evil.example", "https:///path",
]  # fmt: skip


@pytest.mark.parametrize("endpoint", GOOD_ENDPOINTS)
def test_the_question_shows_the_real_host(developer: Developer, endpoint: str) -> None:
    developer.edit(project={"endpoint": endpoint})
    assert f"Where  {GOOD_ENDPOINTS[endpoint]}, EU; kept 365 days" in developer.opt_in("").text


@pytest.mark.parametrize("endpoint", BAD_ENDPOINTS)
def test_an_endpoint_is_an_address_and_nothing_else(developer: Developer, endpoint: str) -> None:
    done = developer.edit(project={"endpoint": endpoint}).innerloop("status")
    assert (done.status, "project.endpoint" in done.err) == (1, True), done


def test_unknown_keys_are_off_and_doctor_names_them(agreed: Developer) -> None:
    agreed.edit(
        project={"colour": "red"}, names={"deny": ["x"]}, fields={"keystrokes": True}, future={"on": True}, wording={"shout": "HEY"}
    )
    assert agreed.status()["mode"] == "on"
    doctor = agreed.innerloop("doctor").out
    (line,) = [line for line in doctor.splitlines() if "unknown keys" in line]
    for key in ("project.colour", "names.deny", "fields.keystrokes", "future", "wording.shout"):
        assert key in line
    agreed.run("make", "test")
    assert "keystrokes" not in agreed.innerloop("show", "pending").out


def test_a_mistyped_key_of_a_recipient_is_named_and_passes_on_the_least(developer: Developer) -> None:
    """In every one of [[recipients]], and once where several mistype the same."""
    developer.edit(
        recipients=[
            {"name": "Relic", "receive": "rows with the id"},
            {"name": "Grafana", "receive": "rows with the id", "region": "EU", "color": "red"},
        ]
    )
    described = " ".join(developer.innerloop("describe").out.split())
    assert "Relic (group totals)" in described
    assert "rows with" not in described
    (line,) = [line for line in developer.innerloop("doctor").out.splitlines() if "unknown keys" in line]
    assert "recipients.receive, recipients.color: not known" in line


def test_nothing_hidden_reaches_a_terminal(developer: Developer) -> None:
    """Escape sequences, control, bidirectional and invisible characters, wherever text of the file is shown."""
    evil = f"x{ESCAPES}{HIDDEN}y"
    developer.edit(
        project={
            "name": f"n{ESCAPES}{HIDDEN}m", "organisation": evil, "region": evil, "contact": evil, "notice_url": evil, "legal_basis": evil,
            "write_key": "shop.x", evil: 1,
        },
        names={"allow": ["test", evil], "stems": [evil]},
        recipients=[{"name": evil, "region": evil, "retention": evil}],
        wording=dict.fromkeys(("purpose", "invitation", "thanks", "stopped", "opt_in_command", "opt_out_command", "legal_block"), evil),
        fields={evil: True},
    )  # fmt: skip
    text = toml(developer.tables)
    developer.write(
        re.sub(
            r"^([^\[\"\n]*\x1b[^=]*?) = ",
            lambda key: '"' + key[1].encode("unicode_escape").decode().replace("\\x", "\\u00") + '" = ',
            text,
            flags=re.MULTILINE,
        )
    )
    shown = [developer.run_at_terminal("make", "test").text, developer.opt_in("?", "yes").text]
    developer.run("make", "test")
    for words in (["status"], ["describe"], ["doctor"], ["show", "next"], ["flush"], ["report"], ["opt-out"]):
        shown.append(developer.at_terminal(developer.command, *words).text)
    for one in shown:
        assert "Traceback" not in one
        assert [hex(ord(found)) for found in one if found in CONTROLS + HIDDEN] == [], one


def test_an_error_about_the_file_is_clean_too(developer: Developer) -> None:
    for text in (f'[project]\nid = "{HIDDEN}"\n', f'"{HIDDEN}" = {HIDDEN}\n', f'[rename]\n"{HIDDEN}" = "x"\n', f"{HIDDEN}\n"):
        said = developer.write(text).at_terminal(developer.command, "status").text
        assert not [found for found in said if found in CONTROLS + HIDDEN], ascii(said)


def test_long_names_do_not_flood_a_terminal(developer: Developer) -> None:
    for key in ("name", "organisation", "contact", "region", "notice_url"):
        developer.edit(project={key: "long " * 2000})
        done = developer.innerloop("status")
        assert (done.status, len(done.err) < 400) == (1, True)
        developer.edit(project={key: "short"})


# whose file it is, and where


def test_a_file_of_somebody_else_means_nothing(root: None, developer: Developer, server: Recorder) -> None:
    os.chown(developer.project_file, 12345, 12345)
    assert developer.run_at_terminal("make", "test").text == ""
    assert developer.innerloop("opt-in").status == 1
    assert developer.files() == {}


def test_a_file_in_somebody_elses_directory_above_means_nothing(root: None, agreed: Developer) -> None:
    """Somebody's /tmp/innerloop.toml measures nobody who works below."""
    below = agreed.directory / "below"
    below.mkdir()
    assert agreed.run("true", cwd=below).status == 0
    assert agreed.recorded() == 1
    os.chown(agreed.directory, 12345, 12345)
    assert agreed.run("true", cwd=below).status == 0
    assert agreed.recorded() == 1
    assert "no innerloop.toml of yours" in agreed.innerloop("status", cwd=below).err


def test_a_file_above_that_is_ours_counts_below_a_directory_without_one(agreed: Developer) -> None:
    below = agreed.directory / "a" / "b"
    below.mkdir(parents=True)
    agreed.run("true", cwd=below)
    assert agreed.recorded() == 1


def test_the_nearest_file_counts(agreed: Developer) -> None:
    inner = agreed.directory / "inner"
    inner.mkdir()
    (inner / "innerloop.toml").write_text(agreed.project_file.read_text().replace('id = "shop"', 'id = "inner"'))
    agreed.run("true", cwd=inner)
    assert agreed.recorded() == 0


def test_something_that_is_no_file_is_passed_by(agreed: Developer) -> None:
    inner = agreed.directory / "inner"
    inner.mkdir()
    os.mkfifo(inner / "innerloop.toml")
    agreed.run("true", cwd=inner, timeout=10)
    assert agreed.recorded() == 1


def test_a_working_directory_that_is_gone_disturbs_no_command(agreed: Developer) -> None:
    script = 'd=$(mktemp -d); cd "$d"; rmdir "$d"; innerloop run -- sh -c "exit 3"'
    assert agreed.execute("sh", "-c", script).status == 3
    done = agreed.execute("sh", "-c", 'd=$(mktemp -d); cd "$d"; rmdir "$d"; innerloop status')
    assert (done.status, done.err.count("innerloop:"), "Traceback" in done.err) == (1, 1, False)


def test_names_that_are_taken_off_the_list_do_not_leave(agreed: Developer, server: Recorder) -> None:
    """Finished, sealed and queued runs alike; and the rest is delivered all the same."""
    agreed.run("make", "build")
    agreed.pending()
    agreed.run("make", "build")
    agreed.run("make", "test")
    agreed.edit(names={"allow": ["test"]})
    agreed.run("make", "test")
    done = agreed.flush()
    assert "Traceback" not in done.err
    assert "build" not in [event["properties"]["command"] for event in server.events]
    assert [event["properties"]["command"] for event in server.events].count("test") == 2
    ledger = agreed.ledger()
    assert ledger["recorded"] == 4
    assert ledger["queued"] == 0


def test_a_machine_wide_file_is_named_where_it_matters() -> None:
    assert Path("/etc/innerloop.toml").exists() is False, "the tests assume a machine without one"


def test_two_clones_of_which_one_asks_for_less_keep_to_their_own_list(agreed: Developer, server: Recorder) -> None:
    first = agreed.directory
    agreed.run("make", "test")
    agreed.project(directory="second").edit(fields={"os": False})
    agreed.run("make", "build")
    for directory in (agreed.directory, first):
        agreed.directory = directory
        assert len(agreed.pending()) == 2
    assert agreed.flush().status == 0
    found = {event["properties"]["command"]: "os" in event["properties"] for event in server.events}
    assert found == {"test": True, "build": False}
    assert len({request.document["context"]["plan"] for request in server.requests}) == 2
    assert agreed.ledger()["acknowledged"] == 2
