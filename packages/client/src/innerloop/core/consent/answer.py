"""The consent file: what a developer answered, kept on their machine and nowhere else.

    {"anonymous_user_id": "...", "consent": {"decision": true, "timestamp": "...", "mode": "on",
     "agreement": {...}, "plan": "<digest>", "destination": "<digest>", "text": "<digest>", "serial": "..."}}

The two outer keys are those of the founding system, whose script reads and writes the same file in seed mode;
ours stand inside `consent`, and keys of others are left as they are. `serial` is random and new with every
answer: a record carries it, and leaves only while it is the current one. Times are never a lock.

Which file it is follows from the project's organisation, id and endpoint by a digest, or from the registry of founding
systems; no file chooses a path, and each endpoint has a file, an id and a secret of its own.

With each id a `secret` is made: only its hash ever leaves, so that nobody but this file's owner can have the id's
records erased. `earlier` holds ids that were given up, with their secrets, until nothing can be left of them: those that belong
to another destination than the answer with that `destination`, and with the `write_key` that it was reached under.
"""

import hashlib
import json
import os
import re
import secrets
import uuid
from contextlib import suppress
from typing import Any, NamedTuple, NewType, Optional

from innerloop.core.plan.agreement import destination_digest, digest
from innerloop.core.plan.founding import SYSTEMS, FoundingSystem
from innerloop.core.plan.granularity import instant
from innerloop.core.plan.project import LONGEST_RETENTION, Project, ProjectError
from innerloop.core.shared import files, paths, untrusted

Name = NewType("Name", str)  # of an answer's file: only `name_for`, `own_name` and `known_name` make one
_OWN = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,38}[a-z0-9])?-[0-9a-f]{8}-[0-9a-f]{12}\.json")
WHOSE = ("destination", "write_key")  # that say whom an id may be told
ON, LOCAL, NO, UNDECIDED = "on", "local", "no", "undecided"


def spool_key(project: Project) -> str:
    """Name the spool and the consent of one (organisation, project, endpoint)."""
    return digest([project.organisation, project.id, project.endpoint])[:24]


def name_for(project: Project) -> Name:
    """What the answer's file is called: below HOME where the project keeps a founding system's destination, else ours."""
    if project.seed and project.keeps_destination:
        return Name(project.seed.config)
    return own_name(project)


def own_name(project: Project) -> Name:
    """What innerloop's own file for an answer is called, whatever a founding system had."""
    return Name(f"{project.id}-{digest([project.organisation, project.id])[:8]}-{spool_key(project)[:12]}.json")


def refusal_name(system: FoundingSystem) -> Name:
    """Where a no to a founding system is kept while the place of its consent file is taken by something else."""
    return Name(f"{system.name}.json")


def known_name(name: str) -> Name:
    """Judge a name that a file in the spool holds: it must be one that we make. Raises ProjectError."""
    if _OWN.fullmatch(name) or name in (system.config for system in SYSTEMS.values()):
        return Name(name)
    raise ProjectError("a spool names an answer that is none of innerloop's")


def founding_system(name: Name) -> Optional[FoundingSystem]:
    """Whose consent file a name stands for; None where it is innerloop's own."""
    return next((system for system in SYSTEMS.values() if system.config == name), None)


def place(name: Name, home: paths.Home) -> str:
    """Where an answer is. Raises ProjectError in a container that shares the host's state but not this answer."""
    directory, _, file = name.rpartition("/")
    if not home.shared:
        return os.path.join(os.fsdecode(home.env.get(b"HOME", b"") if directory else home.config), name)
    base = paths.MOUNT + b"/seed/" + os.fsencode(os.path.basename(directory)) if directory else home.config
    mount = paths.mounted(base)
    if mount is None or mount.st_uid != home.uid:
        raise ProjectError(f"{os.fsdecode(base)} is not mounted, so no answer counts here; run on the host: innerloop init --container")
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


def elsewhere(project: Project, home: paths.Home, decided: bool) -> "list[str]":
    """The other answers, a no among which counts here too. Raises files.UnusableFile.

    Those for the same organisation and project at other endpoints and that of its founding system, as long as nothing is
    `decided` here; and always what `opt-out` wrote beside a founding system's file.
    """
    names = [refusal_name(project.seed)] if project.seed else []
    names += [Name(project.seed.config)] if project.seed and not decided else []
    found = set() if decided else set(_alike(place(own_name(project), home)))
    for name in names:
        with suppress(ProjectError):  # a container without the host's answer
            found.add(place(name, home))
    return sorted(path for path in found - {place(name_for(project), home)} if os.path.lexists(path))


def _alike(path: str) -> "list[str]":
    """The answers of our own beside a path that differ from it in the endpoint alone."""
    directory, name = os.path.split(path)
    head = name[: -len("123456789012.json")]  # all but what stands for the endpoint
    try:
        found = os.listdir(directory)
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise files.UnusableFile(f"{directory} cannot be read: {error.strerror}") from error
    return [f"{directory}/{other}" for other in found if other.startswith(head) and other.endswith(".json") and len(other) == len(name)]


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
    """Write down a no. Nothing else is kept but the ids that were there: they are the key to erasure."""
    return save(before.path, _declined(before, now))


def decline_in_place(before: Answer, now: float) -> Answer:
    """Write down a no where there is no room for a new file: over the old one, which is longer. Torn, it would count as no answer."""
    after = _declined(before, now)
    data = (json.dumps(after) + "\n").encode()
    descriptor = os.open(before.path, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        os.pwrite(descriptor, data, 0)
        os.ftruncate(descriptor, len(data))
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    return Answer(before.path, after)


def _declined(before: Answer, now: float) -> "dict[str, Any]":
    consent: "dict[str, Any]" = {"decision": False, "timestamp": instant(now, "exact"), "serial": secrets.token_hex(16)}
    consent.update({key: before.consent[key] for key in ("secret", "test", *WHOSE) if before.consent.get(key)})
    if earlier := before.earlier(now):
        consent["earlier"] = earlier
    return {**before.document, "consent": consent}


def save(path: str, document: "dict[str, Any]") -> Answer:
    """Write a consent file, durably."""
    files.private_directory(os.path.dirname(path))
    files.write_json(path, document, durable=True)
    return Answer(path, document)


def set_aside(path: str, system: Optional[FoundingSystem]) -> Optional[str]:
    """Move an unusable consent file away, so that a no can be written. Returns where it is now; None where nothing was in the way.

    Outside our own directory (`system`) only what holds that system's keys and nothing else may be moved: another
    program may have come to use its name. Raises files.UnusableFile there.
    """
    if not os.path.lexists(path):
        return None
    if system is not None and not system.wrote(files.json_if_sound(os.path.realpath(path))):
        raise files.UnusableFile(f"{path} is no consent file of {system.name}, so it is left as it is")
    aside = f"{path}.unusable-{secrets.token_hex(4)}"
    os.rename(path, aside)
    return aside
