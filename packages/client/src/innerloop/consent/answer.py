"""The consent file: what a developer answered, kept on their machine and nowhere else.

    {"anonymous_user_id": "...", "consent": {"decision": true, "timestamp": "...", "mode": "on",
     "agreement": {...}, "plan": "<digest>", "destination": "<digest>", "text": "<digest>", "serial": "..."}}

The two outer keys are those of the founding system, whose script reads and writes the same file in seed mode;
ours stand inside `consent`, and keys of others are left as they are. `serial` is random and new with every
answer: a record carries it, and leaves only while it is the current one. Times are never a lock.

With each id a `secret` is made: only its hash ever leaves, so that nobody but this file's owner can have the id's
records erased. `earlier` holds ids that were given up, with their secrets, until nothing can be left of them.

May import: the standard library, files, places and the plan.
"""

import hashlib
import json
import os
import re
import secrets
import uuid
from datetime import datetime, timedelta, timezone
from typing import Any, NamedTuple, Optional

from innerloop import files, places
from innerloop.plan.agreement import destination_digest, digest
from innerloop.plan.project import Project, ProjectError

_NAME = re.compile(r"(\.config/[a-z0-9_-]+/)?[a-z0-9][a-z0-9._-]*\.json")
ON, LOCAL, NO, UNDECIDED = "on", "local", "no", "undecided"


def spool_key(project: Project) -> str:
    """Name the spool and the consent of one (organisation, project, endpoint)."""
    return digest([project.organisation, project.id, project.endpoint])[:24]


def path_for(project: Project, home: places.Home) -> str:
    """Where the answer for a project is kept. Raises ProjectError as `place` does."""
    return place(name_for(project), home)


def name_for(project: Project) -> str:
    """What the answer's file is called, here and in a container; in seed mode the founding system's path below HOME."""
    if project.seed:
        return project.seed.config
    return f"{project.id}-{digest([project.organisation, project.id])[:8]}-{spool_key(project)[:12]}.json"


def place(name: str, home: places.Home) -> str:
    """Where an answer is. Raises ProjectError in a container that shares the host's state but not this answer.

    A name may come from a spool that a container shares: it must be one that `name_for` makes.
    """
    if not _NAME.fullmatch(name):
        raise ProjectError(f"`{name}` is not the name of an answer")
    directory, _, file = name.rpartition("/")
    if not home.shared:
        return os.path.join(os.fsdecode(home.env.get(b"HOME", b"") if directory else home.config), name)
    base = places.MOUNT + b"/seed/" + os.fsencode(os.path.basename(directory)) if directory else home.config
    mount = places.mounted(base)
    if mount is None or mount.st_uid != home.uid:
        raise ProjectError(f"{os.fsdecode(base)} is not mounted, so no answer holds here; on the host: innerloop init --container")
    return f"{os.fsdecode(base)}/{file}"


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
    def identities(self) -> "dict[str, str]":
        """Every id that this machine had here and may still ask about -> its erasure secret (empty where none was made)."""
        found = {one["id"]: one["secret"] for one in self.earlier}
        if self.user_id:
            found[self.user_id] = str(self.consent.get("secret") or "")
        return found

    @property
    def earlier(self) -> "list[dict[str, str]]":
        """The ids that were given up and whose records may still be kept: id, secret, and the day until then."""
        today = datetime.now(timezone.utc).date().isoformat()
        values = self.consent.get("earlier")
        keys = ("id", "secret", "until")
        good = (
            [one for one in values if isinstance(one, dict) and all(isinstance(one.get(key), str) for key in keys)]
            if isinstance(values, list)
            else []
        )
        return [one for one in good if one["until"] >= today]

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
    if before.earlier:
        consent["earlier"] = before.earlier
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
    """Write down a no. Nothing else is kept but the ids that were there: they are the key to erasure."""
    return _save(before.path, _declined(before))


def decline_in_place(before: Answer) -> Answer:
    """Write down a no where there is no room for a new file: over the old one, which is longer. Torn, it would count as no answer."""
    after = _declined(before)
    data = (json.dumps(after) + "\n").encode()
    descriptor = os.open(before.path, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        os.pwrite(descriptor, data, 0)
        os.ftruncate(descriptor, len(data))
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    return Answer(before.path, after)


def _declined(before: Answer) -> "dict[str, Any]":
    consent: "dict[str, Any]" = {"decision": False, "timestamp": datetime.now(timezone.utc).isoformat(), "serial": secrets.token_hex(16)}
    if before.consent.get("secret"):
        consent["secret"] = before.consent["secret"]
    if before.earlier:
        consent["earlier"] = before.earlier
    return {**before.document, "consent": consent}


def reset_id(before: Answer, retention_days: int) -> Answer:
    """Give the id up for a new one; the answer stays. The old one is kept until its last record's retention ends."""
    until = (datetime.now(timezone.utc) + timedelta(days=retention_days + 1)).date().isoformat()
    old = {"id": before.user_id, "secret": str(before.consent.get("secret") or ""), "until": until}
    consent = {**before.consent, "secret": secrets.token_hex(32), "earlier": [*before.earlier, old]}
    return _save(before.path, {**before.document, "anonymous_user_id": str(uuid.uuid4()), "consent": consent})


def forget(before: Answer) -> Answer:
    """Write down a no and keep no id at all."""
    document = {key: value for key, value in before.document.items() if key != "anonymous_user_id"}
    return decline(Answer(before.path, {**document, "consent": {}}))


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
