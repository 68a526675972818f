"""Reads the project file `innerloop.toml`: what a parsed one may say.

The file is untrusted input: it comes with a clone. Text from it is cleaned before anything prints it, and it
can never switch on what the tracking plan does not know. Unknown keys, as a newer file may have, count as
off and are listed in `unknown` for `doctor` to name.
"""

import re
import textwrap
from typing import Any, Optional
from urllib.parse import urlsplit

from innerloop.core.plan import names_table
from innerloop.core.plan.founding import SYSTEMS, FoundingSystem
from innerloop.core.plan.project import DEFAULT_RETENTION_DAYS, LONGEST_RETENTION, PLACEHOLDER, RECEIVES, Project, ProjectError, Recipient
from innerloop.core.plan.table_reader import Reader
from innerloop.core.plan.tracking import OFF, PLAN
from innerloop.core.shared.printable import clean

_WORD = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,38}[a-z0-9])?")
_COHORT = re.compile(r"[a-z0-9-]{1,16}")
MOST_COHORTS = 8
MOST_RECIPIENTS = 8  # all of them stand in the question
# What a project may say in its own words -> how many lines of 76 columns that may take. It is always marked as the project's.
WORDING = {"purpose": 3, "invitation": 3, "thanks": 3, "legal_block": 6}
COLUMNS = 76


CONTROLLER = ("name", "address", "representative", "dpo", "transfers", "staff_views")


def missing(document: "dict[str, Any]") -> "list[str]":
    """The keys of `[project]` that are still to be filled in."""
    table = document.get("project")
    table = table if isinstance(table, dict) else {}
    values = {key: table.get(key, "") for key in ("organisation", "endpoint", "write_key")}
    blank = ("", f"{table.get('id')}.{PLACEHOLDER}")
    return [key for key, value in values.items() if isinstance(value, str) and clean(value).strip() in blank]


def _refuse_missing(document: "dict[str, Any]", key_needed: bool) -> None:
    keys = [f"project.{key}" for key in missing(document)]
    lacks_key = "project.write_key" in keys and bool(document["project"].get("write_key", "").strip())
    if lacks_key and not key_needed:
        keys.remove("project.write_key")
    if keys:
        how = f"; `innerloop-collector keys create {document['project']['id']}` prints a write key, once this file was applied"
        raise ProjectError(f"{', '.join(keys)} {'is' if len(keys) == 1 else 'are'} missing{how if lacks_key and key_needed else ''}")


def read(document: "dict[str, Any]", key_needed: bool = True) -> Project:
    """Make a Project of a parsed `innerloop.toml`. Raises ProjectError, which names the keys at fault.

    The collector reads a file before there is a write key (`key_needed`).
    """
    reader = Reader(document)
    identity = reader.text("project", "id")
    if not _WORD.fullmatch(identity):
        raise ProjectError("project.id must be 1 to 40 characters of a-z 0-9 . _ -, starting and ending with a letter or digit")
    _refuse_missing(document, key_needed)
    ask = reader.text("project", "ask", "invitation")
    if ask not in ("invitation", "question"):
        raise ProjectError('project.ask must be "invitation" or "question"')
    retention = reader.take("project", "retention_days", int, DEFAULT_RETENTION_DAYS)
    if not 1 <= retention <= LONGEST_RETENTION:
        raise ProjectError(f"project.retention_days must be between 1 and {LONGEST_RETENTION}")
    cohorts = _cohorts(reader)
    seed = _seed(reader)
    names, marks = names_table.read(reader)
    project = Project(
        id=identity,
        name=reader.text("project", "name", identity, 40) or identity,
        organisation=reader.text("project", "organisation", "", 120),
        endpoint=_endpoint(reader.text("project", "endpoint")),
        write_key=reader.text("project", "write_key", "", 120),
        fields=_fields(reader.table("fields"), cohorts, seed="seed" in document),
        remotes=tuple(remote.lower() for remote in reader.strings("project", "remotes")),
        region=reader.text("project", "region", "", 40),
        contact=reader.text("project", "contact", "", 80),
        notice_url=reader.text("project", "notice_url"),
        legal_basis=reader.text("project", "legal_basis"),
        retention_days=retention,
        ci=reader.take("project", "ci", bool, False),
        ask=ask,
        names=names._replace(cohorts=cohorts),
        marks=marks,
        rename={} if seed else _renames(reader.table("rename"), "rename", tuple(PLAN.fields)),
        events=dict(seed.events) if seed else _renames(reader.table("events"), "events", tuple(PLAN.events)),
        recipients=_recipients(document, reader),
        public_figures=reader.take("public", "figures", bool, False),
        renamed_from=names_table.renamed_from(reader.table("renamed_from"), names),
        wording=dict(seed.wording) if seed else _wording(reader),
        controller={key: text for key in CONTROLLER if (text := reader.text("controller", key, "", 400))},
        seed=seed,
    )
    return project._replace(unknown=reader.unknown() + _unknown_fields(document))


def _endpoint(url: str) -> str:
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and not re.search(r"[\s@?#]", url)
        _ = parts.port
        (parts.hostname or "").encode("idna")
    except ValueError:  # UnicodeError is one
        good = False
    if not good:
        raise ProjectError("project.endpoint must be an http or https address without user name or query")
    return url.rstrip("/")


def _cohorts(reader: Reader) -> "tuple[str, ...]":
    """The cohorts that are offered: none in seed mode, whose properties are fixed."""
    words = reader.strings("project", "cohorts")
    if len(words) > MOST_COHORTS or len(set(words)) < len(words) or not all(_COHORT.fullmatch(word) for word in words):
        raise ProjectError(f"project.cohorts must be at most {MOST_COHORTS} different words of 1 to 16 characters of a-z 0-9 -")
    return () if "seed" in reader.document else words


def _fields(table: "dict[str, Any]", cohorts: "tuple[str, ...]", seed: bool) -> "dict[str, str]":
    """Resolve which plan fields are on, and how exact each is.

    A cohort is asked for only where some are offered, what belongs to a field goes with it, and seed mode's properties are fixed.
    """
    chosen = {}
    for field in PLAN.fields.values():
        value = table.get(field.name, field.default if field.name != "cohort" else bool(cohorts))
        if isinstance(value, bool):
            value = (field.default if field.default != OFF else field.granularities[0]) if value else OFF
        if value != OFF and value not in field.granularities:
            raise ProjectError(f"fields.{field.name} must be true, false or one of: {', '.join(field.granularities)}")
        if value != OFF:
            chosen[field.name] = value
    for field in PLAN.fields.values():
        if field.follows and field.follows in chosen and field.name in chosen:
            chosen[field.name] = chosen[field.follows]
    if not cohorts:
        chosen.pop("cohort", None)
    chosen = {name: exact for name, exact in chosen.items() if PLAN.fields[name].in_seed_mode or not seed}
    chosen = {name: exact for name, exact in chosen.items() if PLAN.fields[name].part_of in (None, *chosen)}
    if "messageId" not in chosen:
        raise ProjectError("fields.messageId cannot be off: without it an event would be counted twice")
    return chosen


def _unknown_fields(document: "dict[str, Any]") -> "tuple[str, ...]":
    return tuple(clean(f"fields.{name}") for name in document.get("fields", {}) if name not in PLAN.fields)


def _renames(table: "dict[str, Any]", title: str, known: "tuple[str, ...]") -> "dict[str, str]":
    for key, value in table.items():
        if key not in known:
            raise ProjectError(f"{title}.{clean(key)} is not in the tracking plan")
        if not isinstance(value, str) or not re.fullmatch(r"[A-Za-z][A-Za-z0-9_. -]{0,59}", value):
            raise ProjectError(f"{title}.{key} must be a name of letters, digits, space . _ -")
    return dict(table)


def _recipients(document: "dict[str, Any]", reader: Reader) -> "tuple[Recipient, ...]":
    reader.seen.add("recipients")
    entries = document.get("recipients", [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise ProjectError("recipients must be written as [[recipients]] tables")
    if len(entries) > MOST_RECIPIENTS:
        raise ProjectError(f"recipients are more than {MOST_RECIPIENTS}: nobody can read the question then")
    keys = dict.fromkeys(key for entry in entries for key in entry)
    reader.foreign.extend(f"recipients.{key}" for key in keys if key not in Recipient._fields)
    found = []
    for entry in entries:
        values = {key: entry.get(key, default) for key, default in {"name": "", **Recipient._field_defaults}.items()}
        if not all(isinstance(value, str) for value in values.values()) or not values["name"]:
            raise ProjectError("each of recipients needs a name, and only strings")
        if values["receives"] not in RECEIVES:
            raise ProjectError(f"recipients.receives must be one of: {', '.join(RECEIVES)}")
        found.append(Recipient(**{key: clean(value)[:80] for key, value in values.items()}))
    return tuple(found)


def _wording(reader: Reader) -> "dict[str, str]":
    """The project's own words, each short enough to leave the question on the screen."""
    found = {}
    for key, most in WORDING.items():
        value = clean(reader.take("wording", key, str, ""), keep_lines=key == "legal_block")
        lines = [line for given in value.splitlines() for line in textwrap.wrap(given, COLUMNS)]
        if len(lines) > most:
            raise ProjectError(f"wording.{key} takes more than {most} lines of {COLUMNS} columns; the rest belongs at project.notice_url")
        if lines:
            found[key] = "\n".join(lines) if key == "legal_block" else " ".join(lines)
    return found


def _seed(reader: Reader) -> Optional[FoundingSystem]:
    if "seed" not in reader.document:
        return None
    name = reader.text("seed", "system")
    if name not in SYSTEMS:
        known = ", ".join(f'"{known}"' for known in SYSTEMS)
        raise ProjectError(f"seed.system must name a founding system that this version knows: {known}")
    return SYSTEMS[name]
