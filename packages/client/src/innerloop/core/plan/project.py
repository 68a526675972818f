"""What a project file `innerloop.toml` means, once it was read and found good (`project_reader`)."""

from typing import NamedTuple, Optional
from urllib.parse import urlsplit

from innerloop.core.plan.check import Names
from innerloop.core.plan.founding import FoundingSystem
from innerloop.core.plan.toml import line_of
from innerloop.core.shared.names import OTHER

PROJECT_FILE = "innerloop.toml"
LONGEST_RETENTION = 3650  # days
DEFAULT_RETENTION_DAYS = 365
PLACEHOLDER = "to-be-created"  # of a write key: `<project id>.to-be-created` can be applied, and sends nothing
SESSION, CHECK = "session", "check"
RECEIVES = ("group totals", "rows without an id", "rows with a pseudonym", "rows with the id")


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


class Marks(NamedTuple):
    """Which names are sessions and which are checks; `stems` and `separator` are those of the list."""

    sessions: "tuple[str, ...]" = ()
    checks: "tuple[str, ...]" = ()
    stems: "tuple[str, ...]" = ()
    separator: str = ""

    def of(self, name: str) -> str:
        """What a name is, as it is on the wire: SESSION, CHECK, or empty."""
        for mark, marked in ((SESSION, self.sessions), (CHECK, self.checks)):
            if name in marked or (name != OTHER and Names(marked, self.stems, self.separator).holds(name)):
                return mark
        return ""


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
    names: Names = Names()
    marks: Marks = Marks()
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
