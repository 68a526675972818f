"""The consent file: what a developer answered, kept on their machine and nowhere else.

    {"anonymous_user_id": "...", "consent": {"decision": true, "timestamp": "...", "mode": "on",
     "agreement": {...}, "plan": "<digest>", "destination": "<digest>", "text": "<digest>", "serial": "..."}}

The two outer keys are those of the founding system, whose script reads and writes the same file in seed mode;
ours stand inside `consent`, and keys of others are left as they are. `serial` is random and new with every
answer: a record carries it, and leaves only while it is the current one. Times are never a lock.

May import: the standard library, files, places and the plan.
"""

import hashlib
import os
import secrets
import uuid
from datetime import datetime, timezone
from typing import Any, NamedTuple, Optional

from innerloop import files, places
from innerloop.plan.agreement import destination_digest, digest
from innerloop.plan.project import Project

ON, LOCAL, NO, UNDECIDED = "on", "local", "no", "undecided"


def spool_key(project: Project) -> str:
    """Name the spool and the consent of one (organisation, project, endpoint)."""
    return digest([project.organisation, project.id, project.endpoint])[:24]


def path_for(project: Project, env: "dict[bytes, bytes]") -> str:
    """Where the answer for a project is kept; in seed mode the founding system's place, literally."""
    if project.seed:
        return f"{os.fsdecode(env.get(b'HOME', b''))}/{project.seed.config}"
    whose = digest([project.organisation, project.id])[:8]
    return os.fsdecode(places.config(env)) + f"/{project.id}-{whose}-{spool_key(project)[:12]}.json"


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

    @property
    def decision(self) -> str:
        """What was answered: on, local, no or undecided. A yes without an id is no yes."""
        decision = self.consent.get("decision")
        if decision is False:
            return LOCAL if self.consent.get("mode") == LOCAL else NO
        return ON if decision is True and self.user_id else UNDECIDED

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


def load(path: str) -> Answer:
    """Read a consent file; an absent one is an answer without content. Raises files.UnusableFile."""
    return Answer(path, files.read_json(path) or {})


def elsewhere(path: str) -> "list[str]":
    """The answers for the same organisation and project at other endpoints. Raises files.UnusableFile."""
    directory, name = os.path.split(path)
    head = name[: -len("123456789012.json")]  # all but what stands for the endpoint
    try:
        found = os.listdir(directory)
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise files.UnusableFile(f"{directory} cannot be read: {error.strerror}") from error
    alike = [other for other in found if other.startswith(head) and other.endswith(".json") and len(other) == len(name)]
    return sorted(f"{directory}/{other}" for other in alike if other != name)


def accept(
    before: Answer, project: Project, agreement: "dict[str, Any]", mode: str, text: str, testing: str, current: "dict[str, Any]"
) -> Answer:
    """Write down a yes (`on`) or `local`, bound to what was shown. Keeps an id that is there already.

    `current` is the project's agreement at the time: it differs from `agreement` where the developer keeps to an older,
    smaller one.
    """
    consent = {
        "decision": mode == ON,
        "timestamp": datetime.now(timezone.utc).isoformat(),
        "mode": mode,
        "how": "typed",
        "agreement": agreement,
        "plan": digest(agreement),
        "seen": digest(current),
        "destination": destination_digest(project),
        "text": hashlib.sha256(text.encode()).hexdigest(),
        "serial": secrets.token_hex(16),
        "secret": before.consent.get("secret") or secrets.token_hex(32),
    }
    if testing:
        consent["test"] = testing
    if agreement != current:
        consent["shown"] = current
    document = dict(before.document)
    if mode == ON:
        document["anonymous_user_id"] = before.user_id or str(uuid.uuid4())
    document["consent"] = consent
    return _save(before.path, document)


def name_cohort(before: Answer, cohort: str) -> Answer:
    """Write down what the developer says that they are, beside the answer that they gave; empty: rather not said."""
    consent = {key: value for key, value in before.consent.items() if key != "cohort"}
    return _save(before.path, {**before.document, "consent": {**consent, "cohort": cohort} if cohort else consent})


def decline(before: Answer) -> Answer:
    """Write down a no. Nothing else is kept but an id that was there: it is the key to erasure."""
    document = dict(before.document)
    document["consent"] = {"decision": False, "timestamp": datetime.now(timezone.utc).isoformat(), "serial": secrets.token_hex(16)}
    if before.consent.get("secret"):
        document["consent"]["secret"] = before.consent["secret"]
    return _save(before.path, document)


def _save(path: str, document: "dict[str, Any]") -> Answer:
    files.private_directory(os.path.dirname(path))
    files.write_json(path, document, durable=True)
    return Answer(path, document)


def set_aside(path: str) -> Optional[str]:
    """Move an unusable consent file away, so that a no can be written. Returns where it is now."""
    if not os.path.lexists(path):
        return None
    aside = f"{path}.unusable-{secrets.token_hex(4)}"
    os.rename(path, aside)
    return aside
