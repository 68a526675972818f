"""What a developer agrees to: the fields that leave, how exact, for how long and to whom.

An agreement is a plain dict, so that it can be kept in the consent file, digested and compared. The
collector registers a project file under the digest of its agreement; events name that digest. The names that
may leave, and the cohorts that are offered, are not part of it: they are checked against the current list at every step instead
(docs/decisions/0003-names-outside-the-digest.md). Groups of names are: one more lets names leave that nobody has listed.
"""

import hashlib
import json
from typing import Any, NamedTuple

from innerloop.core.plan.project import RECEIVES, Project
from innerloop.core.plan.tracking import PLAN


def agreement(project: Project) -> "dict[str, Any]":
    """Everything in a project file that a developer's answer is bound to, apart from the destination."""
    return {
        "project": project.id,
        "organisation": project.organisation,
        "fields": dict(project.fields),
        "purposes": {name: PLAN.fields[name].purpose for name in project.fields},
        "rename": dict(project.rename),
        "events": dict(project.events),
        "retention_days": project.retention_days,
        "recipients": [list(recipient) for recipient in project.recipients],
        "purpose": project.wording.get("purpose", ""),
        "legal_basis": project.legal_basis,
        **({"groups": sorted(project.names.groups)} if project.names.groups else {}),  # agreements of before there were any stay the same
        **({"public": True} if project.public_figures else {}),  # likewise
    }


def narrowed(terms: "dict[str, Any]", fields: "dict[str, str]") -> "dict[str, Any]":
    """An agreement with fewer or coarser fields, and everything else as it is."""
    return {**terms, "fields": fields, "purposes": {name: terms["purposes"][name] for name in fields}}


def shared(agreed: "dict[str, Any]", current: "dict[str, Any]") -> "dict[str, Any]":
    """What is both agreed and current: each field as coarse as the coarser of the two says."""
    fields: "dict[str, str]" = {}
    for name, exactness in current["fields"].items():
        if name in agreed["fields"]:
            order = PLAN.fields[name].granularities
            old = agreed["fields"][name]
            fields[name] = min(exactness, old, key=order.index) if old in order else exactness
    groups = [group for group in current.get("groups", ()) if group in agreed.get("groups", ())]
    without = {key: value for key, value in current.items() if key != "groups"}
    return narrowed({**without, "groups": groups} if groups else without, fields)


def agreed_groups(project: Project, terms: "dict[str, Any]") -> "tuple[str, ...]":
    """The groups of a project file that an agreement holds, in the file's order."""
    return tuple(group for group in project.names.groups if group in terms.get("groups", ()))


def unexpired(terms: "dict[str, Any]", today: int) -> "dict[str, Any]":
    """An agreement without the fields whose time is over by a day (since 1970): they stop by themselves, and nobody is asked."""
    over = {field.name for field in PLAN.fields.values() if field.last_day < today}
    return narrowed(terms, {name: exact for name, exact in terms["fields"].items() if name not in over})


def stages(terms: "dict[str, Any]") -> "list[dict[str, Any]]":
    """An agreement as it is, and as it becomes by itself when one field after the other expires."""
    ends = sorted({PLAN.fields[name].last_day for name in terms["fields"] if name in PLAN.fields})
    return [terms, *(unexpired(terms, end + 1) for end in ends[:-1])]


def digest(document: Any) -> str:
    """Digest a document: SHA-256 over its JSON with sorted keys and no spaces, in hex."""
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def destination_digest(project: Project) -> str:
    """Digest where events go: endpoint and project id, and a foreign endpoint's key.

    Our own write keys carry the project id, so that rotating one asks nobody again.
    """
    parts = [project.endpoint, project.id]
    if not project.key_is_ours:
        parts.append(hashlib.sha256(project.write_key.encode()).hexdigest())
    return digest(parts)


class Difference(NamedTuple):
    """How a current agreement differs from the agreed one."""

    added: "tuple[str, ...]" = ()
    removed: "tuple[str, ...]" = ()
    finer: "tuple[str, ...]" = ()
    coarser: "tuple[str, ...]" = ()
    groups: "tuple[str, ...]" = ()  # of names, that were added
    other: "tuple[str, ...]" = ()  # anything else that a developer must be asked about

    @property
    def wider(self) -> bool:
        """Whether measuring must pause until the developer answered."""
        return bool(self.added or self.finer or self.groups or self.other)

    @property
    def can_keep(self) -> bool:
        """Whether the developer may go on with exactly the old set: only fields or groups were added, or fields made finer."""
        return not self.other


def difference(agreed: "dict[str, Any]", current: "dict[str, Any]") -> Difference:
    """Compare an agreed agreement with the current one."""
    old, new = agreed["fields"], current["fields"]
    shared = [name for name in new if name in old]
    finer: "list[str]" = []
    coarser: "list[str]" = []
    for name in shared:
        step = _exactness(name, new[name]) - _exactness(name, old[name])
        if step:
            (finer if step > 0 else coarser).append(name)
    return Difference(
        added=tuple(name for name in new if name not in old),
        removed=tuple(name for name in old if name not in new),
        finer=tuple(finer),
        coarser=tuple(coarser),
        groups=tuple(group for group in current.get("groups", ()) if group not in agreed.get("groups", ())),
        other=tuple(_other_changes(agreed, current, shared)),
    )


def _exactness(field: str, granularity: str) -> int:
    known = PLAN.fields[field].granularities if field in PLAN.fields else ()
    return known.index(granularity) if granularity in known else len(known)


def _other_changes(agreed: "dict[str, Any]", current: "dict[str, Any]", shared: "list[str]") -> "list[str]":
    changes = [
        key for key in ("project", "organisation", "rename", "events", "purpose", "legal_basis") if agreed.get(key) != current.get(key)
    ]
    if any(agreed["purposes"].get(name) != current["purposes"].get(name) for name in shared):
        changes.append("purposes")
    if current["retention_days"] > agreed["retention_days"]:
        changes.append("retention_days")
    if not _recipients_within(current["recipients"], agreed["recipients"]):
        changes.append("recipients")
    if current.get("public") and not agreed.get("public"):
        changes.append("public")
    return changes


def _recipients_within(current: "list[list[str]]", agreed: "list[list[str]]") -> bool:
    """Tell whether each current recipient was agreed to and receives no more than agreed."""
    known = {recipient[0]: recipient for recipient in agreed}
    for name, receives, *rest in current:
        old = known.get(name)
        if old is None or old[2:] != rest or RECEIVES.index(receives) > RECEIVES.index(old[1]):
            return False
    return True
