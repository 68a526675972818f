"""The consent file: what a developer answered, kept on their machine and nowhere else.

    {"anonymous_user_id": "...", "consent": {"decision": true, "timestamp": "...", "mode": "on",
     "agreement": {...}, "plan": "<digest>", "destination": "<digest>", "text": "<digest>", "serial": "..."}}

The two outer keys are those of the founding system, whose script reads and writes the same file in seed mode;
ours stand inside `consent`, and keys of others are left as they are. `serial` is random and new with every
answer: a record carries it, and leaves only while it is the current one. Times are never a lock.

With each id a `secret` is made: only its hash ever leaves, so that nobody but this file's owner can have the id's
records erased. `earlier` holds ids that were given up, with their secrets, until nothing can be left of them: those that belong
to another destination than the answer with that `destination`, and with the `write_key` that it was reached under.
"""

import hashlib
import json
import os
import secrets
import uuid
from typing import Any, NamedTuple, Optional

from innerloop.core.plan.agreement import destination_digest, digest
from innerloop.core.plan.granularity import instant
from innerloop.core.plan.project import LONGEST_RETENTION, Project
from innerloop.core.shared import files, untrusted

WHOSE = ("destination", "write_key")  # that say whom an id may be told
ON, LOCAL, NO, UNDECIDED = "on", "local", "no", "undecided"


class Answer(NamedTuple):
    """A consent file that was read."""

    path: str
    document: "dict[str, Any]"

    @property
    def consent(self) -> "dict[str, Any]":
        """The answer itself, or an empty dict."""
        value = self.document.get("consent")
        return value if isinstance(value, dict) else {}

    @property
    def user_id(self) -> str:
        """The pseudonymous id, or an empty string."""
        value = self.document.get("anonymous_user_id")
        return value if isinstance(value, str) else ""

    def identities(self, destination: str, now: float) -> "dict[str, str]":
        """Every id that this machine had at a destination and may still ask about -> its erasure secret (empty where none was made).

        None of another destination's: whoever is asked could have them erased, or read what belongs to them.
        """
        return {one["id"]: one["secret"] for one in self.held(0, now) if one.get("destination") in (None, destination)}

    def held(self, days: int, now: float) -> "list[dict[str, str]]":
        """Every id that is kept here, as `earlier` would keep it for so many days more: with whose it is, as far as that was written down."""
        whose = {key: self.consent[key] for key in WHOSE if isinstance(self.consent.get(key), str)}
        found = [one if "destination" in one else {**whose, **one} for one in self.earlier(now)]
        if self.user_id:
            found.append({"id": self.user_id, "secret": str(self.consent.get("secret") or ""), "until": _day(now, days + 1), **whose})
        return found

    def earlier(self, now: float) -> "list[dict[str, str]]":
        """The ids that were given up and whose records may still be kept: id, secret, and the day until then."""
        values = self.consent.get("earlier")
        return [
            one
            for one in (values if isinstance(values, list) else ())
            if isinstance(one, dict) and {"id", "secret", "until"} <= set(one) and all(isinstance(text, str) for text in one.values())
            if one["until"] >= _day(now)
        ]

    def holds_for(self, destination: str) -> bool:
        """Tell whether the answer, its id and its secret belong to a destination (by digest). One from a founding script names none."""
        return self.consent.get("destination") in (None, destination)

    @property
    def decision(self) -> str:
        """What was answered: on, local, no or undecided. A yes without an id is no yes."""
        decision = self.consent.get("decision")
        if decision is False:
            return LOCAL if self.consent.get("mode") == LOCAL else NO
        return ON if decision is True and self.user_id else UNDECIDED

    @property
    def retention_days(self) -> int:
        """How long records are kept by what was agreed to; 0 where the answer does not say."""
        agreed = self.consent.get("agreement")
        days = agreed.get("retention_days") if isinstance(agreed, dict) else None
        return int(days) if untrusted.is_whole(days, LONGEST_RETENTION + 1) else 0  # type: ignore[arg-type]

    @property
    def cohort(self) -> str:
        """What the developer said that they are, or an empty string."""
        value = self.consent.get("cohort")
        return value if isinstance(value, str) else ""

    @property
    def serial(self) -> str:
        """The answer's random serial, empty without an answer; derived for an answer that the founding system's script wrote."""
        serial = self.consent.get("serial")
        if isinstance(serial, str) and serial.isalnum():
            return serial
        if not self.consent:
            return ""
        return hashlib.sha256(f"{self.user_id} {self.consent.get('timestamp')}".encode()).hexdigest()[:32]


def _day(now: float, days: int = 0) -> str:
    """The day (ISO) so many days from now."""
    return instant(now + days * 86400, "exact")[:10]


def load(path: str) -> Answer:
    """Read a consent file; an absent one is an answer without content. Raises files.UnusableFile."""
    return Answer(path, files.read_json(path) or {})


def load_if_sound(path: str) -> Optional[Answer]:
    """Read a consent file as `load`; None where it must not be believed."""
    try:
        return load(path)
    except files.UnusableFile:
        return None


def accept(
    before: Answer, project: Project, agreement: "dict[str, Any]", mode: str, text: str, testing: str, current: "dict[str, Any]", now: float
) -> Answer:
    """Write down a yes (`on`) or `local`, bound to what was shown. Keeps an id that is there already: another destination's only as the key to erasure.

    `current` is the project's agreement at the time: it differs from `agreement` where the developer keeps to an older,
    smaller one.
    """
    destination = destination_digest(project)
    earlier = before.earlier(now)
    if not before.holds_for(destination):
        earlier, before = before.held(max(project.retention_days, before.retention_days), now), Answer(before.path, {})
    consent = {
        "decision": mode == ON,
        "timestamp": instant(now, "exact"),
        "mode": mode,
        "how": "typed",
        "agreement": agreement,
        "plan": digest(agreement),
        "seen": digest(current),
        "destination": destination,
        "write_key": project.write_key,
        "text": hashlib.sha256(text.encode()).hexdigest(),
        "serial": secrets.token_hex(16),
        "secret": before.consent.get("secret") or secrets.token_hex(32),
    }
    if earlier:
        consent["earlier"] = earlier
    if testing:
        consent["test"] = testing
    if agreement != current:
        consent["shown"] = current
    document = dict(before.document)
    if mode == ON:
        document["anonymous_user_id"] = before.user_id or str(uuid.uuid4())
    document["consent"] = consent
    return save(before.path, document)


def name_cohort(before: Answer, cohort: str) -> Answer:
    """Write down what the developer says that they are, beside the answer that they gave; empty: rather not said."""
    consent = {key: value for key, value in before.consent.items() if key != "cohort"}
    return save(before.path, {**before.document, "consent": {**consent, "cohort": cohort} if cohort else consent})


def decline(before: Answer, now: float) -> Answer:
    """Write down a no. Nothing else is kept but the ids that were there: they are the key to erasure.

    Where there is no room for a new file it is written over the old one, which is longer. Torn, it would count as no answer.
    """
    consent: "dict[str, Any]" = {"decision": False, "timestamp": instant(now, "exact"), "serial": secrets.token_hex(16)}
    consent.update({key: before.consent[key] for key in ("secret", "test", *WHOSE) if before.consent.get(key)})
    if earlier := before.earlier(now):
        consent["earlier"] = earlier
    after = {**before.document, "consent": consent}
    try:
        return save(before.path, after)
    except OSError as error:
        if error.errno not in files.FULL or not os.path.exists(before.path):
            raise
    data = (json.dumps(after) + "\n").encode()
    with open(os.open(before.path, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "wb", buffering=0) as file:
        file.write(data)
        file.truncate()
        os.fsync(file.fileno())
    return Answer(before.path, after)


def save(path: str, document: "dict[str, Any]") -> Answer:
    """Write a consent file, durably."""
    files.private_directory(os.path.dirname(path))
    files.write_json(path, document, durable=True)
    return Answer(path, document)
