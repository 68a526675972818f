"""The project file `innerloop.toml`: what a parsed one may say, and what it means.

The file is untrusted input: it comes with a clone. Text from it is cleaned before anything prints it, and it
can never switch on what the tracking plan does not know. Unknown keys, as a newer file may have, count as
off and are listed in `unknown` for `doctor` to name.
"""

import re
import textwrap
from typing import Any, NamedTuple, Optional
from urllib.parse import urlsplit

from innerloop.core.plan import names_table
from innerloop.core.plan.check import Names
from innerloop.core.plan.founding import SYSTEMS, FoundingSystem
from innerloop.core.plan.names_table import Marks
from innerloop.core.plan.toml import line_of
from innerloop.core.plan.tracking import OFF, PLAN
from innerloop.core.shared.printable import clean

PROJECT_FILE = "innerloop.toml"
LONGEST_RETENTION = 3650  # days
DEFAULT_RETENTION_DAYS = 365
PLACEHOLDER = "to-be-created"  # of a write key: `<project id>.to-be-created` can be applied, and sends nothing
RECEIVES = ("group totals", "rows without an id", "rows with a pseudonym", "rows with the id")
_WORD = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,38}[a-z0-9])?")
_COHORT = re.compile(r"[a-z0-9-]{1,16}")
MOST_COHORTS = 8
MOST_RECIPIENTS = 8  # all of them stand in the question


class ProjectError(ValueError):
    """The project file cannot be used. The message names the key and what is wrong with it."""

    place: "Optional[tuple[str, str, int]]" = None  # table, key and number of the value of a list that is at fault

    def of(self, text: str) -> str:
        """The message with its line in the file's text, where one value of a list is at fault."""
        return f"line {line_of(text, *self.place)}: {self}" if self.place else str(self)


class Recipient(NamedTuple):
    """Somebody besides the organisation to whom its collector passes data on."""

    name: str
    receives: str = RECEIVES[0]
    region: str = ""
    retention: str = ""


class Project(NamedTuple):
    """A project file that was read and found good."""

    id: str
    name: str
    organisation: str
    endpoint: str
    write_key: str
    fields: "dict[str, str]"  # field -> granularity, only those that are on
    remotes: "tuple[str, ...]" = ()
    region: str = ""
    contact: str = ""
    notice_url: str = ""
    legal_basis: str = ""
    retention_days: int = DEFAULT_RETENTION_DAYS
    ci: bool = False
    ask: str = "invitation"  # or "question": what follows the first success
    names: "tuple[str, ...]" = ()
    stems: "tuple[str, ...]" = ()
    separator: str = ""
    groups: "tuple[str, ...]" = ()
    changes: "tuple[str, ...]" = ()  # the open ones: whether a checkout has them may leave
    marks: Marks = Marks()
    cohorts: "tuple[str, ...]" = ()  # what a developer may, and need not, call themselves after a yes
    rename: "dict[str, str]" = {}  # plan field -> what this project calls it on the wire
    events: "dict[str, str]" = {}  # plan event -> what this project calls it on the wire
    recipients: "tuple[Recipient, ...]" = ()
    public_figures: bool = False  # whether what the collector publishes is open to everybody
    renamed_from: "dict[str, tuple[str, ...]]" = {}  # name -> what it was called before
    wording: "dict[str, str]" = {}
    controller: "dict[str, str]" = {}  # for the record of processing alone: shown to nobody else
    seed: Optional[FoundingSystem] = None  # which one this project's metrics continue
    unknown: "tuple[str, ...]" = ()

    @property
    def endpoint_host(self) -> str:
        """The host that events go to, in punycode where it is not ASCII."""
        parts = urlsplit(self.endpoint)
        host = (parts.hostname or "").encode("idna").decode("ascii")
        host = f"[{host}]" if ":" in host else host
        return f"{host}:{parts.port}" if parts.port else host

    @property
    def key_is_ours(self) -> bool:
        """Whether the write key has the form `<project id>.<secret>` of our own collector."""
        return self.write_key.startswith(self.id + ".")

    @property
    def keeps_destination(self) -> bool:
        """Whether this goes where the founding system's own script sends to: its consent file is this project's only then."""
        return self.seed is not None and self.seed.sends_to(self.endpoint, self.write_key)

    @property
    def lacks_key(self) -> bool:
        """Whether the write key only holds a place: the collector makes one once it knows the project."""
        return self.write_key == f"{self.id}.{PLACEHOLDER}"


# What a project may say in its own words -> how many lines of 76 columns that may take. It is always marked as the project's.
WORDING = {"purpose": 3, "invitation": 3, "thanks": 3, "legal_block": 6}
COLUMNS = 76


CONTROLLER = ("name", "address", "representative", "dpo", "transfers", "staff_views")


class _Reader:
    """Takes keys out of a table, checks them and remembers which were never asked for."""

    def __init__(self, document: "dict[str, Any]") -> None:
        self.document = document
        self.seen: "set[str]" = set()
        self.foreign: "list[str]" = []  # keys of [[recipients]] that nobody asks for

    def table(self, name: str) -> "dict[str, Any]":
        self.seen.add(name)
        value = self.document.get(name, {})
        if not isinstance(value, dict):
            raise ProjectError(f"[{name}] must be a table")
        return value

    def take(self, table: str, key: str, kind: type, default: Any) -> Any:
        self.seen.add(f"{table}.{key}")
        value = self.table(table).get(key, default)
        if value is default:
            return default
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise ProjectError(f"{table}.{key} must be {_KINDS[kind]}")
        return value

    def text(self, table: str, key: str, default: str = "", longest: int = 200) -> str:
        value = self.take(table, key, str, default)
        if len(value) > longest:
            raise ProjectError(f"{table}.{key} is longer than {longest} characters")
        return clean(value)

    def words(self, table: str, key: str) -> "list[str]":
        values: "list[str]" = self.take(table, key, list, [])
        if not all(isinstance(value, str) for value in values):
            raise ProjectError(f"{table}.{key} must be a list of strings")
        return values

    def strings(self, table: str, key: str) -> "tuple[str, ...]":
        return tuple(map(clean, self.words(table, key)))

    def unknown(self) -> "tuple[str, ...]":
        found = []
        for name, value in self.document.items():
            if name not in self.seen:
                found.append(name)
            elif isinstance(value, dict) and name not in ("fields", "rename", "events", "renamed_from"):
                found.extend(f"{name}.{key}" for key in value if f"{name}.{key}" not in self.seen)
        return tuple(clean(name) for name in found + self.foreign)


_KINDS = {str: "a string", int: "a whole number", bool: "true or false", list: "a list", dict: "a table"}


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
    reader = _Reader(document)
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
    listed, marks = _names(reader)
    project = Project(
        id=identity,
        name=reader.text("project", "name", identity, 40) or identity,
        organisation=reader.text("project", "organisation", "", 120),
        endpoint=_endpoint(reader.text("project", "endpoint"), "project.endpoint"),
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
        names=listed.allow,
        stems=listed.stems,
        separator=listed.separator,
        groups=listed.groups,
        changes=listed.changes,
        marks=marks,
        cohorts=cohorts,
        rename={} if seed else _renames(reader.table("rename"), "rename", tuple(PLAN.fields)),
        events=dict(seed.events) if seed else _renames(reader.table("events"), "events", tuple(PLAN.events)),
        recipients=_recipients(document, reader),
        public_figures=reader.take("public", "figures", bool, False),
        renamed_from=_renamed_from(reader, listed),
        wording=dict(seed.wording) if seed else _wording(reader),
        controller={key: text for key in CONTROLLER if (text := reader.text("controller", key, "", 400))},
        seed=seed,
    )
    return project._replace(unknown=reader.unknown() + _unknown_fields(document))


def _endpoint(url: str, key: str) -> str:
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and not re.search(r"[\s@?#]", url)
        _ = parts.port
        (parts.hostname or "").encode("idna")
    except ValueError:  # UnicodeError is one
        good = False
    if not good:
        raise ProjectError(f"{key} must be an http or https address without user name or query")
    return url.rstrip("/")


def _cohorts(reader: _Reader) -> "tuple[str, ...]":
    """The cohorts that are offered: none in seed mode, whose properties are fixed."""
    words = reader.strings("project", "cohorts")
    if len(words) > MOST_COHORTS or len(set(words)) < len(words) or not all(_COHORT.fullmatch(word) for word in words):
        raise ProjectError(f"project.cohorts must be at most {MOST_COHORTS} different words of 1 to 16 characters of a-z 0-9 -")
    return () if "seed" in reader.document else words


def _names(reader: _Reader) -> "tuple[Names, Marks]":
    """What may leave, and what it is. Seed mode, whose properties are fixed, has no groups."""
    try:
        return names_table.read(
            lambda key: reader.words("names", key), reader.text("names", "separator", "", 1), grouped="seed" not in reader.document
        )
    except ValueError as wrong:
        error = ProjectError(wrong)
        error.place = getattr(wrong, "place", None)
        raise error from wrong


def _renamed_from(reader: _Reader, listed: Names) -> "dict[str, tuple[str, ...]]":
    """What names were called before. It changes nothing that leaves: the collector reads it where it tells how figures went."""
    try:
        return names_table.renamed_from(reader.table("renamed_from"), listed)
    except ValueError as wrong:
        raise ProjectError(wrong) from wrong


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


def _recipients(document: "dict[str, Any]", reader: _Reader) -> "tuple[Recipient, ...]":
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
        values = {
            key: entry.get(key, default) for key, default in (("name", ""), ("receives", RECEIVES[0]), ("region", ""), ("retention", ""))
        }
        if not all(isinstance(value, str) for value in values.values()) or not values["name"]:
            raise ProjectError("each of recipients needs a name, and only strings")
        if values["receives"] not in RECEIVES:
            raise ProjectError(f"recipients.receives must be one of: {', '.join(RECEIVES)}")
        found.append(Recipient(**{key: clean(value)[:80] for key, value in values.items()}))
    return tuple(found)


def _wording(reader: _Reader) -> "dict[str, str]":
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


def _seed(reader: _Reader) -> Optional[FoundingSystem]:
    if "seed" not in reader.document:
        return None
    name = reader.text("seed", "system")
    if name not in SYSTEMS:
        known = ", ".join(f'"{known}"' for known in SYSTEMS)
        raise ProjectError(f"seed.system must name a founding system that this version knows: {known}")
    return SYSTEMS[name]
