"""Erasure as a developer asks for it, and the collector that confirms it."""

import json
from pathlib import Path
from typing import Any

from tests.client.people import Developer, Said
from tests.client.recorder import Recorder, Reply, Request

RECEIPT = "0123456789abcdef0123456789abcdef"


TYPE_YES = r"Type yes: "


def collector(request: Request) -> Reply:
    """Answer as innerloop's collector does: every id is erased, three records each."""
    if "/v1/forget" not in request.line:
        return Reply()
    if request.line.startswith("GET"):
        return Reply(
            body=json.dumps({"success": True, "receipt": RECEIPT, "day": "2026-11-24", "ids": 1, "events": 3, "destinations": []}).encode()
        )
    ids = [{"userId": one["userId"], "state": "erased", "events": 3} for one in request.document["ids"]]
    return Reply(body=json.dumps({"success": True, "receipt": RECEIPT, "ids": ids, "destinations": []}).encode())


def forget(developer: Developer, answer: str = "yes") -> Said:
    return developer.at_terminal(developer.command, "forget", types=[(TYPE_YES, answer)])


def asked(server: Recorder) -> list[dict[str, str]]:
    """The ids and secrets of every erasure that was asked for."""
    return [one for request in server.requests if "POST /v1/forget" in request.line for one in request.document["ids"]]


def batches(server: Recorder) -> list[Request]:
    return [request for request in server.requests if "/v1/batch" in request.line]


def identity(developer: Developer) -> tuple[str, str]:
    document: dict[str, Any] = json.loads(developer.consent_file.read_text())
    return document["anonymous_user_id"], document["consent"]["secret"]


def holding(directory: Path, text: str) -> list[Path]:
    """The files that hold a text."""
    return [path for path in directory.rglob("*") if path.is_file() and text.encode() in path.read_bytes()]
