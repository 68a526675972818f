"""What `forget` and `reset-id` write down, and what they ask a collector about a receipt. The erasing itself is `core.outbound.erasure`'s."""

import secrets
import uuid
from datetime import datetime, timedelta, timezone
from typing import Any, Optional

from innerloop.core.consent.answer import Answer, decline, save
from innerloop.core.outbound import erasure, http_client, outcomes
from innerloop.core.outbound.erasure import LONGEST_WORDS, MOST_EVENTS, Wanted
from innerloop.core.shared import files, untrusted
from innerloop.core.spool import held

BACKUPS = "backups"  # stands among a receipt's destinations too


def new_id(before: Answer, retention_days: int) -> Answer:
    """Give the id up for a new one; the answer stays. The old one is kept until its last record's retention ends."""
    until = (datetime.now(timezone.utc) + timedelta(days=retention_days + 1)).date().isoformat()
    old = {"id": before.user_id, "secret": str(before.consent.get("secret") or ""), "until": until}
    consent = {**before.consent, "secret": secrets.token_hex(32), "earlier": [*before.earlier, old]}
    return save(before.path, {**before.document, "anonymous_user_id": str(uuid.uuid4()), "consent": consent})


def without_ids(before: Answer) -> Answer:
    """Write down a no and keep no id at all."""
    document = {key: value for key, value in before.document.items() if key != "anonymous_user_id"}
    return decline(Answer(before.path, {**document, "consent": {}}))


def want(state_directory: str, key: str, wanted: Wanted) -> None:
    """Write an erasure down before anything else forgets the ids. Adds to one that waits already."""
    waiting = erasure.read(state_directory, key)
    ids = {**(waiting.ids if waiting else {}), **wanted.ids}
    files.within(state_directory, "forget")
    files.write_json(erasure.path(state_directory, key), wanted._replace(ids=ids)._asdict(), durable=True)


def check(endpoint: str, write_key: str, receipt: str) -> outcomes.Outcome:
    """Ask the collector what it knows of a receipt."""
    return http_client.ask(f"{endpoint}/v1/forget/{receipt}", write_key)


def looked_up(content: bytes, receipt: str) -> "Optional[dict[str, Any]]":
    """Read what a collector knows of a receipt, or None where that is not what it said."""
    try:
        document = untrusted.parse_object(content)
        others = document.get("destinations", [])
        sound = (
            (document["receipt"], held.is_day(document["day"])) == (receipt, True)
            and all(untrusted.is_whole(document[key], MOST_EVENTS) for key in ("events", "ids"))
            and all(isinstance(one[key], str) and len(one[key]) <= LONGEST_WORDS for one in others for key in ("name", "state"))
        )
        return document if sound else None
    except (ValueError, KeyError, TypeError):
        return None


def receipts(state_directory: str, project: str) -> "list[tuple[str, str]]":
    """The receipts of a project that were noted here: day and receipt, oldest first."""
    try:
        data = files.read_own(f"{state_directory}/receipts") or b""
    except files.UnusableFile:
        return []
    lines = [line.split() for line in data.decode("utf-8", "replace").splitlines()]
    return [(words[0], words[2]) for words in lines if len(words) == 3 and words[1] == project]
