"""What clients, project files and other services wrote is shown and never obeyed by a terminal."""

import json
import subprocess
import threading
import unicodedata
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from innerloop_collector.terminal.escaping import cleaned, lines, printable
from tests.collector.support import COMMAND, Collector
from tests.conftest import ROOT

EVIL = "\x1b]0;title\x07\x1b[2J\x1b[1;31mx\r\n\b\x7f\x9b5m\u202eevil\u2028end\u200b"
OBEYED = {"Cc", "Cf", "Zl", "Zp", "Cs", "Cn", "Co"}


def obeyed(text: str) -> set[str]:
    """The characters of a text, but for ends of lines, that a terminal does not print."""
    return {character for character in text.replace("\n", "") if unicodedata.category(character) in OBEYED}


@given(st.text())
def test_every_text_becomes_one_line_that_a_terminal_prints_and_obeys_nothing_of(text: str) -> None:
    shown = printable(text)

    assert set() == obeyed(shown)
    assert "\n" not in shown
    assert text == shown or not text.isprintable()
    assert lines(text).split("\n") == [printable(line) for line in text.split("\n")]


@given(st.recursive(st.none() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_an_answer_is_cleaned_however_deep_a_text_lies(answer: Any) -> None:
    assert set() == obeyed(json.dumps(cleaned(answer), ensure_ascii=False))


TIME = {"about": 5, "at_least": 1, "at_most": None}
ANSWERS: dict[str, dict[str, Any]] = {
    "projects list": {
        "projects": [{"project": EVIL, "version": EVIL, "digest": EVIL, "applied": EVIL, "min_active_weeks": 1, "retention_days": EVIL}]
    },
    "quarantine list": {
        "quarantine": [
            {"project": EVIL, "reason": EVIL, "fields": [EVIL], "events": 1, "first_day": EVIL, "last_day": EVIL, "removed_on": EVIL}
        ]
    },
    "report acme": {
        "project": EVIL, "name": EVIL, "min_active_weeks": 1, "k": 5, "state": EVIL, "explanation": EVIL, "next_figures": EVIL,
        "developers": [5, 9], "headcount": 60, "whole": {"runs": 5, "waited_minutes": 1.0, "failure_rate": 0.5, "failure_rate_of_checks": 0.5},
        "period": {"period": EVIL, "first_day": EVIL, "last_day": EVIL, "complete": True},
        "commands": [
            {
                "command": EVIL, "kind": EVIL, "runs": 5, "developers": None, "p50": TIME, "p90": TIME, "failure_rate": 0.5, "waited_minutes": 1.0,
                "runs_before": 5, "p50_before": 1, "failure_rate_before": 0.5,
            }
        ],
        "hidden_commands": [{"name": EVIL, "why": EVIL}],
        "targets": [{"target": EVIL, "times": 5, "developers": [5, 9], "p50": TIME, "p90": None, "failure_rate": 0.5}],
        "hidden_targets": [{"name": EVIL, "why": EVIL}],
        "parts": [{"by": EVIL, "name": EVIL, "runs": 5, "developers": None, "p50": TIME, "failure_rate": None}],
        "notes": [EVIL],
        "rules": [EVIL],
    },
    "check": {
        "ok": False, "findings": [{"about": EVIL, "text": EVIL, "note": False}, {"about": EVIL, "text": EVIL, "note": True}],
        "engine": EVIL, "store": EVIL, "schema": 5, "data": EVIL, "events": 1, "quarantined": 1, "tombstones": 1, "unfinished_erasures": 1,
        "receipts": 1, "store_bytes": 1, "disk_free_bytes": 1,
    },
    "notifications status": {
        "channels": [
            {
                "channel": EVIL, "kind": EVIL, "sends": [EVIL], "state": EVIL, "waiting": 1, "sent": 1, "left_out": 1, "last_error": EVIL,
                "complaint": EVIL, "misses": [EVIL], "last_left_out": EVIL,
            }
        ]
    },
    "notifications digest": {
        "title": EVIL, "parts": [{"heading": EVIL, "sentences": [EVIL], "links": [{"label": EVIL, "url": EVIL}]}],
        "first": EVIL, "last": EVIL, "projects": [EVIL],
    },
    "notifications test team": {"channel": EVIL, "id": EVIL, "title": EVIL},
    "destinations status": {
        "destinations": [
            {
                "destination": EVIL, "projects": [EVIL], "state": EVIL, "behind_events": 1, "sent": 1, "set_aside": 1, "last_error": EVIL,
                "next_try_seconds": 1,
            }
        ]
    },
}  # fmt: skip


class Hostile(BaseHTTPRequestHandler):
    """Answers as a collector that wants the terminal."""

    said: tuple[int, dict[str, Any]]

    def do_POST(self) -> None:
        status, answer = Hostile.said
        body = json.dumps(answer).encode()
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.mark.parametrize("words", [[], ["--json"]], ids=["text", "json"])
def test_what_a_service_elsewhere_answers_is_shown_also_where_it_is_an_error(idle: Collector, words: list[str]) -> None:
    server = HTTPServer(("127.0.0.1", 0), Hostile)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        url = f"http://127.0.0.1:{server.server_port}"
        environment = {**idle.environment, "INNERLOOP_COLLECTOR_TOKEN": "t" * 40}
        tries = [(command, 200, answer) for command, answer in ANSWERS.items()]
        for asked, status, answer in [*tries, *(("check", status, {"detail": EVIL}) for status in (401, 409, 503))]:
            Hostile.said = status, answer
            command = [*COMMAND, *asked.split(), "--url", url, *words]
            done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60, check=False)
            assert "title" in done.stdout + done.stderr, done
            assert set() == obeyed(done.stdout + done.stderr), asked
            assert "Traceback" not in done.stderr
    finally:
        server.shutdown()
        server.server_close()


def test_no_command_prints_past_that_function() -> None:
    """`click.echo` stands in four places: the answer, a command's word, and the lines of two kinds of errors."""
    found = [
        f"{path.name}: {line.strip()}"
        for path in sorted((ROOT / "packages" / "collector" / "src" / "innerloop_collector" / "cli").glob("*.py"))
        for line in path.read_text().splitlines()
        if "click.echo" in line or "print(" in line or "sys.stdout.write" in line
    ]
    assert ["main.py", "main.py", "shared.py", "shared.py"] == [line.split(":")[0] for line in found], found
