"""What `forget` and `reset-id` write down. The erasing itself is `core.outbound.erasure`'s."""

import hashlib
import secrets
import uuid

from innerloop.core.consent.answer import Answer, decline, save
from innerloop.core.plan.agreement import destination_digest
from innerloop.core.plan.project import Project
from innerloop.core.shared import files
from innerloop.core.spool import wanted_erasures
from innerloop.core.spool.wanted_erasures import Wanted

BACKUPS = "backups"  # stands among a receipt's destinations too


def new_id(before: Answer, retention_days: int, now: float) -> Answer:
    """Give the id up for a new one; the answer stays. The old one is kept until its last record's retention ends."""
    consent = {**before.consent, "secret": secrets.token_hex(32), "earlier": before.held(retention_days, now)}
    return save(before.path, {**before.document, "anonymous_user_id": str(uuid.uuid4()), "consent": consent})


def by_key(before: Answer, project: Project, now: float) -> "tuple[dict[str, dict[str, str]], list[dict[str, str]]]":
    """The ids that a project's endpoint knows, by the write key that it may be asked with; and those that it cannot be asked about.

    An id is told to nobody but whom its answer was for: under the project's key where that is the same, else under the key that was
    written down, where that and the project's endpoint make the same destination.
    """
    known: "dict[str, dict[str, str]]" = {}
    unknown = []
    for one in before.held(project.retention_days, now):
        keys = (project.write_key, one.get("write_key", ""))
        key = next((key for key in keys if one.get("destination") in (None, destination_digest(project._replace(write_key=key)))), "")
        if key:
            known.setdefault(key, {})[one["id"]] = one["secret"]
        else:
            unknown.append(one)
    return known, unknown


def without_ids(before: Answer, but: "list[dict[str, str]]", now: float) -> Answer:
    """Write down a no, and keep no id but some that nobody could be asked about."""
    document = {key: value for key, value in before.document.items() if key != "anonymous_user_id"}
    return decline(Answer(before.path, {**document, "consent": {"earlier": but}}), now)


def wish_key(project: Project, spool_key: str, write_key: str) -> str:
    """Under which key an erasure waits: the spool's; for another write key than the project's one that begins alike."""
    return spool_key if write_key == project.write_key else spool_key[:12] + hashlib.sha256(write_key.encode()).hexdigest()[:12]


def waiting(state_directory: str, spool_key: str) -> "list[str]":
    """The keys of a project's erasures that wait, whatever write key they are asked for with."""
    found = [key for key in wanted_erasures.waiting(state_directory) if key[:12] == spool_key[:12] and not key.endswith("-ci")]
    return [key for key in found if wanted_erasures.read(state_directory, key)]


def want(state_directory: str, key: str, wanted: Wanted) -> None:
    """Write an erasure down before anything else forgets the ids. Adds to one that waits already."""
    waiting = wanted_erasures.read(state_directory, key)
    ids = {**(waiting.ids if waiting else {}), **wanted.ids}
    files.within(state_directory, "forget")
    files.write_json(wanted_erasures.path(state_directory, key), wanted._replace(ids=ids)._asdict(), durable=True)


def receipts(state_directory: str, project: str) -> "list[tuple[str, str]]":
    """The receipts of a project that were noted here: day and receipt, oldest first."""
    lines = [line.split() for line in files.read_if_sound(f"{state_directory}/receipts").decode("utf-8", "replace").splitlines()]
    return [(words[0], words[2]) for words in lines if len(words) == 3 and words[1] == project]
