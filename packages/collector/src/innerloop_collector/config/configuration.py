"""What an operator can set: one TOML file and the environment, read into one frozen value.

Each field's comment is its line in the reference page.
"""

import re
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

PREFIX = "INNERLOOP_COLLECTOR_"
LARGEST_EVENT = 32_768  # bytes, as Segment
QUARANTINE_DAYS = 30  # for which an event waits
LARGEST_BATCH = 500  # events that a destination is sent at once, at most
_SECRET = re.compile(r"(?:key|secret|token|password)$")  # a name, but not that of a file or variable with the secret in it
_PASSWORD = re.compile(r"(://[^/@:]*:)[^/@]*@")
_QUERY = re.compile(r"(://[^?#\s]*\?)[^#\s]+")

Count = Annotated[int, msgspec.Meta(ge=1)]
Amount = Annotated[int, msgspec.Meta(ge=0)]
Span = Annotated[float, msgspec.Meta(gt=0)]
Rate = Annotated[float, msgspec.Meta(ge=0)]
Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One table of the file."""


class Server(Section, frozen=True):
    """Where the service listens and keeps its data."""

    data: str = ""  # data directory; empty: XDG's place for data
    host: str = "127.0.0.1"  # address to listen on
    port: Annotated[int, msgspec.Meta(ge=0, le=65_535)] = 8080  # port to listen on; 0 takes any free one
    log_level: Literal["debug", "info", "warning", "error"] = "info"  # what is logged, on stderr as JSON lines: this and what is worse
    metrics_local: bool = (
        False  # this machine may read /metrics without a token: all who are on it see when somebody works. What a proxy forwards is foreign
    )
    metrics_token_file: str = ""  # file with the token that opens /metrics from anywhere (Bearer); empty: none does
    metrics_per_project: bool = False  # name projects in the metrics


class Limits(Section, frozen=True):
    """How much is accepted. Sizes in bytes."""

    body: Count = 512_000  # as sent and after decompression; Segment says 500 KB
    drained: Amount = 8_000_000  # of a refused body, so that the sender reads our answer instead of a reset
    event: Count = LARGEST_EVENT  # one event, as Segment
    events: Count = 2_500  # events in a batch
    body_seconds: Span = 30.0  # until a body must have arrived
    ids: Count = 100  # ids in one request for erasure
    erasure_seconds: Span = 8.0  # until such a request is told to come back; clients wait for 10
    nesting: Count = 32  # how deep objects and lists in a body may lie in each other
    events_per_second: Rate = 5_000  # of one write key, on average; 0: as many as the store takes
    burst_events: Count = 50_000  # that a write key may send at once before that average counts
    new_ids_per_day: Amount = (
        20  # of a write key whose project has no headcount; with one it is as many; more wait in quarantine; 0: any number
    )
    quarantine_bytes_per_day: Amount = (
        1_000_000_000  # that may come into a project's quarantine; more is counted and not kept; 0: any number
    )
    connections: Count = 1_000  # at the same time
    header_bytes: Count = 16_384  # of a request's first line and header
    header_seconds: Span = 10.0  # from the first byte of a header to its last
    idle_seconds: Span = 30.0  # until a connection is closed on which nothing comes
    bytes_per_second: Amount = 500  # of a body, on average, after five seconds


class Store(Section, frozen=True):
    """Where the store is, and how it is written."""

    url: str = ""  # a ClickHouse server in place of the embedded engine: https://user@host:8443/database
    password_file: str = ""  # file that holds the password of the URL's user
    ca_file: str = ""  # file with the certificate that the server's must be signed by; empty: the system's
    cluster: str = ""  # name of a cluster that the server knows: tables are replicated and distributed over it
    timeout_seconds: Count = 120  # until an answer of the server must have come
    lease_seconds: Span = 30.0  # until another collector may take over a server's store from one that does not answer
    group_rows: Count = 5_000  # events in one commit, about
    linger_seconds: Rate = 0.1  # how long a commit waits for more events, at most; it waits as long as the one before it took
    waiting_rows: Count = 50_000  # events that may wait for the store; beyond it the answer is 429
    throw_away: bool = False  # make a store to try things, on loopback only: reports show the running week too; never of one that is there
    simulated_clock: str = ""  # make a throw-away store whose clock stands here until a simulation moves it; empty: this machine's clock

    def __post_init__(self) -> None:
        if self.simulated_clock and not _is_instant(self.simulated_clock):
            raise ValueError("simulated_clock must be an instant with an offset, such as 2026-01-05T00:00:00+00:00")


class Ingest(Section, frozen=True):
    """Who may send besides our own client."""

    browser_origins: tuple[str, ...] = ()  # pages whose browsers may send, such as "https://app.example.org"; "*" is any, none: no browser
    oauth_audience: str = ""  # this service's own address, as SDKs that use OAuth name it; empty: POST /token gives no tokens
    oauth_token_seconds: int = 86_400  # how long such a token is good for

    def __post_init__(self) -> None:
        if self.oauth_token_seconds < 1:
            raise ValueError("oauth_token_seconds must be 1 or more")
        for origin in self.browser_origins:
            if origin != "*" and ("://" not in origin or origin.count("/") != 2):
                raise ValueError(f'browser_origins: {origin!r} is no origin; write it as "https://app.example.org"')


class Access(Section, frozen=True):
    """Who may read and operate, besides those with a token."""

    session_idle_minutes: float = 60.0  # until a session ends that nobody uses
    session_hours: float = 12.0  # until a session ends in any case
    plain_http_cookie: bool = False  # a cookie that also travels without TLS: for trying things out on the loopback
    origins: tuple[str, ...] = ()  # of our pages, such as https://innerloop.example.org, where a proxy changes the Host header
    trusted_proxies: tuple[str, ...] = ()  # addresses or networks of proxies that say in headers who somebody is
    proxy_user_header: str = ""  # the header with the user's name; empty: no proxy is believed
    proxy_role_header: str = ""  # the header with the user's role: viewer, analyst, changes or admin
    proxy_projects_header: str = ""  # the header with the user's projects, separated by commas; *: all; without it they see none
    proxy_roles: dict[str, str] = {}  # roles by the user's name; they come before the header
    proxy_proof_header: str = "X-Innerloop-Proxy-Secret"  # the header with which a proxy shows that it is ours
    proxy_secret_file: str = ""  # the file with what stands in that header, 16 characters or more


class OpenID(Section, frozen=True):
    """People sign in at a provider that speaks OpenID Connect. `[openid.roles]` says which value of the claim gives which role, as `"innerloop-admins" = "admin"`; of several the first line counts."""

    issuer: str = ""  # the provider's address, to the letter as its tokens name it: https://id.example.org/realms/acme; empty: nobody signs in like this
    client_id: str = ""  # under which the provider knows this service
    client_secret_file: str = ""  # file with the client's secret; empty: the provider gave none
    redirect_uri: str = ""  # where the provider sends people back to, as it is registered there: this service's address as people reach it, and /sign-in/openid/callback
    scopes: tuple[str, ...] = ("openid", "profile", "email")  # that are asked for; some providers tell groups only to whom asks for them
    role_claim: str = "groups"  # the claim that a role comes of: a text, or a list of texts
    roles: dict[str, str] = {}  # roles by the value of that claim
    projects_claim: str = ""  # the claim with the projects that somebody may see, of which * is all; empty: everybody sees all
    name_claim: str = "preferred_username"  # the claim with the name that the pages show; without it they show `sub`
    button: str = "Sign in with your organisation's account"  # what stands on the sign-in page
    ca_file: str = ""  # file with the certificate that the provider's must be signed by; empty: the system's
    timeout_seconds: Span = 5.0  # until an answer of the provider must have come


class Destination(Section, frozen=True):
    """Where events are passed on to: `[destinations.NAME]`, one table for each. Secrets are never written here."""

    kind: Literal["newrelic", "segment", "otlp"]  # which API it speaks
    recipient: str = ""  # the name under which project files list it in [[recipients]]; only what they say it receives is sent
    projects: tuple[str, ...] = ()  # only these projects; empty: every project that names the recipient
    endpoint: str = ""  # https://host[:port]; empty: the vendor's own in the US (newrelic, segment)
    key_file: str = ""  # file that holds its key; read again when the key is refused
    key_variable: str = ""  # or: environment variable that holds its key
    key_header: str = "api-key"  # otlp: the header that carries the key
    metrics: bool = True  # otlp: send run durations and failures as metrics too
    plain_http: bool = False  # allow an endpoint without TLS that is not on this machine
    start: Literal["now", "beginning"] = msgspec.field(name="from", default="now")  # what a new destination gets first
    batch: int = 200  # events in one request, at most
    timeout_seconds: float = 15.0  # until an answer must have come
    first_pause_seconds: float = 1.0  # after a failure; each further one doubles it
    longest_pause_seconds: float = 300.0  # between two attempts, unless the destination asks for more

    def __post_init__(self) -> None:
        if not 1 <= self.batch <= LARGEST_BATCH:
            raise ValueError(f"batch must be 1 to {LARGEST_BATCH}")
        if min(self.timeout_seconds, self.first_pause_seconds, self.longest_pause_seconds) <= 0:
            raise ValueError("timeout_seconds and pauses must be more than 0")


class Alerts(Section, frozen=True):
    """When it is told that something became slower or fails more."""

    false_alarms_a_month: Span = 3.0  # that are accepted, of a project's commands and targets together; fewer: less is found, and later
    false_pages_a_month: Span = 0.45  # of these that are confirmed by the weeks that follow

    def __post_init__(self) -> None:
        if self.false_pages_a_month > self.false_alarms_a_month:
            raise ValueError("false_pages_a_month must not be more than false_alarms_a_month: what is paged was told before")


class Notifications(Section, frozen=True):
    """What each of `[channels.NAME]` is told by itself: alerts when they are confirmed, and once a week a digest."""

    dashboard: str = ""  # address of this collector's pages as readers open them, such as https://innerloop.example.org; empty: no links
    digest_day: Weekday = "monday"  # when the digest is sent; it tells of the days up to the one before
    digest_hour: Annotated[int, msgspec.Meta(ge=0, le=23)] = 7  # in UTC


class Channel(Section, frozen=True):
    """Where notices go: `[channels.NAME]`, one table for each. Secrets are never written here."""

    kind: Literal[
        "webhook", "slack", "email"
    ]  # webhook: signed by Standard Webhooks; slack: Slack's incoming webhooks, or what takes the same; email: SMTP
    sends: tuple[Literal["alerts", "digest"], ...] = ("alerts", "digest")  # what it is told
    projects: tuple[str, ...] = ()  # only of these projects; empty: of all
    recipient: str = (
        ""  # where others run it: the name under which project files list them in [[recipients]]; it is told of no other project
    )
    url: str = ""  # webhook: the address
    key_file: str = ""  # file with its secret. webhook: whsec_..., while it is changed the old one on a second line; slack: the address; email: the password
    key_variable: str = ""  # or: environment variable with its secret
    plain_http: bool = False  # webhook, slack: allow an address without TLS that is not on this machine
    host: str = ""  # email: the SMTP server
    port: Annotated[int, msgspec.Meta(ge=1, le=65_535)] = 587  # email: mostly 587 for starttls, 465 for tls
    tls: Literal["starttls", "tls", "none"] = "starttls"  # email: none sends no password, unless the server is on this machine
    user: str = ""  # email: whose password it is; empty: the server asks for none
    sender: str = ""  # email: the address that it comes from
    to: tuple[str, ...] = ()  # email: the addresses that it goes to
    most_waiting: Count = 100  # alerts that are kept for it while it fails; of more the oldest go, and are counted
    timeout_seconds: Span = 15.0  # until it must have taken a notice
    first_pause_seconds: Span = 5.0  # after a failure; each further one doubles it
    longest_pause_seconds: Span = 900.0  # between two attempts, unless it asks for more


class Check(Section, frozen=True):
    """When `innerloop-collector check` finds something wrong."""

    disk_free_bytes: int = 5_000_000_000  # less free space than this; on a small disk, less than a twentieth of it
    clock_seconds: float = 5.0  # clocks further apart than this
    clock_url: str = ""  # an HTTP address whose Date is compared with this machine's clock; empty: none is asked
    backups: str = ""  # directory with one directory for each backup, of which the newest is looked at; empty: none is
    backup_days: int = 7  # the newest backup is older than this


class Backup(Section, frozen=True):
    """What a restored store must know."""

    journals: tuple[str, ...] = ()  # further copies of the erasure journal, best on other disks: files, absolute

    def __post_init__(self) -> None:
        for name in self.journals:
            if not Path(name).is_absolute():
                raise ValueError(f"journals: {name!r} is no absolute path")


class Configuration(Section, frozen=True):
    """Everything that can be set."""

    server: Server = Server()
    limits: Limits = Limits()
    store: Store = Store()
    backup: Backup = Backup()
    ingest: Ingest = Ingest()
    access: Access = Access()
    openid: OpenID = OpenID()
    destinations: dict[str, Destination] = {}
    alerts: Alerts = Alerts()
    notifications: Notifications = Notifications()
    channels: dict[str, Channel] = {}
    check: Check = Check()


def shown(configuration: Configuration) -> dict[str, Any]:
    """Every setting as JSON can say it, without secrets."""
    document: dict[str, Any] = msgspec.to_builtins(configuration)
    return _without_secrets(document)


def _is_instant(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def secret_files(configuration: Configuration) -> list[tuple[str, str]]:
    """The files that hold secrets: setting and file."""
    destinations = [(f"destinations.{name}.key_file", one.key_file) for name, one in configuration.destinations.items()]
    channels = [(f"channels.{name}.key_file", one.key_file) for name, one in configuration.channels.items()]
    return [
        ("server.metrics_token_file", configuration.server.metrics_token_file),
        ("store.password_file", configuration.store.password_file),
        ("access.proxy_secret_file", configuration.access.proxy_secret_file),
        ("openid.client_secret_file", configuration.openid.client_secret_file),
        *destinations,
        *channels,
    ]


def _without_secrets(table: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in table.items():
        if isinstance(value, dict):
            found[key] = _without_secrets(value)
        elif isinstance(value, str):
            found[key] = "***" if value and _SECRET.search(key) else _QUERY.sub(r"\1***", _PASSWORD.sub(r"\1***@", value))
        else:
            found[key] = value
    return found


# Tables whose names the operator chooses, and what may stand in each.
NAMED: dict[str, type[Destination | Channel]] = {"destinations": Destination, "channels": Channel}


def keys_of(struct: type[Section]) -> dict[str, msgspec.inspect.Field]:
    """The keys of a table, as the file calls them."""
    info = msgspec.inspect.type_info(struct)
    assert isinstance(info, msgspec.inspect.StructType)
    return {key.encode_name: key for key in info.fields}


def sections() -> dict[str, dict[str, msgspec.inspect.Field]]:
    """Every section whose keys are fixed, with its keys."""
    found: dict[str, dict[str, msgspec.inspect.Field]] = {}
    top = msgspec.inspect.type_info(Configuration)
    assert isinstance(top, msgspec.inspect.StructType)
    for field in top.fields:
        if isinstance(field.type, msgspec.inspect.StructType):
            found[field.name] = {key.name: key for key in field.type.fields}
    return found
