"""What each route takes and answers, as OpenAPI says it.

A route that is new gets a line in OPERATIONS; the test of the document names those without one.
"""

from typing import Any

from innerloop_collector.admin.api import Call
from innerloop_collector.http.responses import Accepted, Problem
from innerloop_collector.ingest.erasure_routes import ErasureAnswer, ErasureRequest, ReceiptAnswer
from innerloop_collector.ingest.oauth import Token, TokenRequest
from innerloop_collector.reports.alert_report import AlertReport
from innerloop_collector.reports.impact import ChangeReport, ProgrammeReport
from innerloop_collector.reports.views import AllProjects, Releases, Report, Trend
from innerloop_collector.web.health import Status
from innerloop_collector.web.read_api import OF_PROJECT, PREFIX
from innerloop_collector.web.read_api_answers import BREAKDOWNS, GRAINS, MOST_RELEASES, TABLES
from innerloop_collector.web.schemas import Batch, Message, Projects, RegisteredChanges, Schema, Table, named
from innerloop_collector.web.signin import SignInRequest, Who

Operation = dict[str, Any]

TAGS = {
    "ingest": "Segment's HTTP API. Authentication: the write key as Basic user name, or as `writeKey` in the body.",
    "people": "What a developer can ask for, with the secret that belongs to an id.",
    "read": "What pages show, for programs: published figures only. `null` means: may not be told.",
    "session": "Signing in with a browser.",
    "operator": "What the command line asks a running service.",
    "service": "The service's health.",
}
SECURITY: dict[str, Schema] = {
    "writeKey": {"type": "http", "scheme": "basic", "description": "The write key is the user name; the password is empty."},
    "oauth": {
        "type": "oauth2",
        "description": "A token from /token, and the write key as `writeKey` in the body.",
        "flows": {"clientCredentials": {"tokenUrl": "/token", "scopes": {"tracking_api:write": "Send events."}}},
    },
    "token": {"type": "http", "scheme": "bearer", "description": "A token with a role, or the one in DIR/admin-token."},
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": "__Host-innerloop",
        "description": "A session that was opened by signing in: with a token, by a link, or at a provider of OpenID Connect. What changes something must come from the collector's own pages.",
    },
}
_JSON = "application/json"
_FORM = "application/x-www-form-urlencoded"
_REASONS = {
    400: "The body cannot be understood; sending it again would not help.",
    401: "The key or token is missing, unknown or revoked.",
    403: "The caller may not do this.",
    404: "There is no such thing, or it is another project's.",
    409: "It cannot be done like this; `detail` says what can.",
    413: "Larger than is accepted; sending it again would not help.",
    415: "The content encoding must be gzip, deflate or none.",
    429: "Too much waits already; send this again after `Retry-After` seconds.",
    511: "The token expired or was revoked; fetch another one.",
    503: "Nothing was stored, or the body did not arrive in time; send this again after `Retry-After` seconds.",
}
_TEMPORARY = (429, 503)


def _problem(status: int) -> Schema:
    answer: Schema = {"description": _REASONS[status], "content": {"application/problem+json": {"schema": named(Problem)}}}
    if status in _TEMPORARY:
        seconds = {"required": True, "schema": {"type": "integer", "minimum": 0}}
        answer["headers"] = {"Retry-After": seconds, "X-RateLimit-Reset": seconds}
    return answer


def _success(answer: Schema | str | None) -> Schema:
    if answer is None:
        return {"204": {"description": "Done."}}
    content = {answer: {"schema": {"type": "string"}}} if isinstance(answer, str) else {_JSON: {"schema": answer}}
    return {"200": {"description": "Done.", "content": content}}


def _operation(
    tag: str,
    summary: str,
    answer: Schema | str | None,
    *problems: int,
    body: type | None = None,
    media: str = _JSON,
    security: tuple[str, ...] = (),
    parameters: tuple[Schema, ...] = (),
) -> Operation:
    """Describe one operation: `answer` is the schema of 200, or the media type of one that is no JSON; None: it is 204."""
    described: Operation = {
        "tags": [tag],
        "summary": summary,
        "responses": {**_success(answer), **{str(status): _problem(status) for status in problems}},
        "security": [{name: []} for name in security],
    }
    if body is not None:
        described["requestBody"] = {"required": True, "content": {media: {"schema": named(body)}}}
    if parameters:
        described["parameters"] = list(parameters)
    return described


_SEND = (400, 401, 403, 413, 415, 429, 503)


def _or_without(operation: Operation) -> Operation:
    """Authentication that may be absent."""
    return {**operation, "security": [*operation["security"], {}]}


def _send(summary: str, body: type) -> Operation:
    operation = _operation("ingest", summary, named(Accepted), *_SEND, 403, 511, body=body)
    return {**operation, "security": [{"writeKey": []}, {"oauth": ["tracking_api:write"]}, {}]}  # {}: or the key is in the body


def _both(name: str) -> tuple[str, str]:
    """A route with and without a slash at its end: some hosts are written with one."""
    return f"/v1/{name}", f"/v1/{name}/"


_RECEIPT = {"name": "receipt", "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
_KEY = {"name": "writeKey", "in": "query", "schema": {"type": "string"}, "description": "The write key: a beacon has no header."}
_TEXT = "text/plain"


def _path(name: str, about: str) -> Schema:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}, "description": about}


def _query(name: str, about: str, *values: str, kind: str = "string", **more: Any) -> Schema:
    schema: Schema = {"type": kind, **more} | ({"enum": list(values)} if values else {})
    return {"name": name, "in": "query", "schema": schema, "description": about}


_PERIOD = _query(
    "period", "A week (2026-W48), a block of weeks (2026-B12), a quarter (2026-Q4) or a year (2026). Default: the newest block."
)
_OF = _query("of", "What `name` is of.", *BREAKDOWNS, default=BREAKDOWNS[0])
_NAME = _query("name", "One command, target, system, architecture, version or cohort. Default: all runs.")


def _read(summary: str, answer: type, *parameters: Schema) -> Operation:
    """A resource of the read API: what did not change since is not sent again."""
    problems = (400, 401, 403, 503) if answer is Projects else (400, 401, 403, 404, 503)
    described = _operation("read", summary, named(answer), *problems, security=("token", "session"), parameters=parameters)
    tag = {"description": "For `If-None-Match`.", "schema": {"type": "string"}}
    described["responses"]["200"]["headers"] = {"ETag": tag}
    described["responses"]["304"] = {"description": "It is as `If-None-Match` says.", "headers": {"ETag": tag}}
    return described


def _of_project(summary: str, answer: type, *parameters: Schema) -> Operation:
    return _read(summary, answer, _path("project", "The project's id."), *parameters)


_READING = {
    f"{PREFIX}/projects": _read("The projects that one may see", Projects),
    f"{PREFIX}/report": _read("The sums of all projects that one may see, as `report --json`", AllProjects, _PERIOD),
    f"{OF_PROJECT}/report": _of_project("The team's report, as `report PROJECT --json`", Report, _PERIOD),
    f"{OF_PROJECT}/tables/{{name}}": _of_project(
        "A table of the overview; where `name` is given, of the page of that",
        Table, _path("name", f"The table: {', '.join(TABLES)}, or another of that page. 404 names those that there are."), _PERIOD, _query("by", "Series by the week or by the block. Default: as on the page.", *GRAINS), _OF, _NAME,
    ),
    f"{OF_PROJECT}/trends": _of_project(
        "Figures over time, the oldest first, as `trends --json`", Trend, _OF, _NAME, _query("by", "Week by week or block by block.", *GRAINS, default=GRAINS[0])
    ),
    f"{OF_PROJECT}/releases": _of_project(
        "Everything that was published, the oldest first, as `releases --json`; `Link` leads to the next part", Releases,
        _query("after", "The release after which the answer begins, such as 2026-W48."),
        _query("limit", "How many at most.", kind="integer", minimum=1, maximum=MOST_RELEASES, default=MOST_RELEASES),
    ),
    f"{OF_PROJECT}/verdicts": _of_project("What was published of every change, as `impact --all --json`", ProgrammeReport),
    f"{OF_PROJECT}/verdicts/{{name}}": _of_project("What was published of one change, as `impact --json`", ChangeReport, _path("name", "The change.")),
    f"{OF_PROJECT}/alerts": _of_project("What became slower or fails more, as `alerts --json`", AlertReport),
    f"{OF_PROJECT}/changes": _of_project("What was registered, the newest first", RegisteredChanges),
}  # fmt: skip
OPERATIONS: dict[tuple[str, str], Operation] = {
    **{("POST", path): _send("Take a batch of events", Batch) for name in ("batch", "b", "import") for path in _both(name)},
    **{
        ("POST", path): _send(f"Take one event of the type {kind}", Message)
        for kind in ("track", "identify", "page", "screen", "group", "alias")
        for name in (kind, kind[0])
        for path in _both(name)
    },
    ("POST", "/beacon/v1/batch"): {**_send("Take a batch of a browser's beacon", Batch), "parameters": [_KEY]},
    ("POST", "/v1/forget"): _operation(
        "people", "Erase ids whose secret is shown; answered when the bytes are gone", named(ErasureAnswer), *_SEND, body=ErasureRequest,
        security=("writeKey",),
    ),
    ("POST", "/v1/access"): _operation(
        "people", "Everything that is kept of ids whose secret is shown, a JSON object a line", "application/x-ndjson", *_SEND, body=ErasureRequest,
        security=("writeKey",),
    ),
    ("GET", "/v1/forget/{receipt}"): _operation(
        "people", "What a receipt stands for", named(ReceiptAnswer), 401, 404, 429, 503, security=("writeKey",), parameters=(_RECEIPT,)
    ),
    ("POST", "/token"): _operation(
        "ingest", "Give an SDK that signs its requests a token", named(Token), 400, 401, 413, 415, 429, 503,
        body=TokenRequest, media=_FORM,
    ),
    ("POST", "/admin/v1/call"): _operation(
        "operator", "Run an operation", {"type": "object"}, 400, 401, 403, 409, 413, 415, 503, body=Call, security=("token", "session")
    ),
    ("POST", "/session"): _operation("session", "Sign a browser in: sets a cookie", None, 400, 401, 403, 413, 415, 503, body=SignInRequest),
    ("GET", "/session"): _operation("session", "Who one is", named(Who), 401, 403, security=("token", "session")),
    ("DELETE", "/session"): _operation("session", "Sign a browser out", None, 401, 403),
    **{("GET", path): described for path, described in _READING.items()},
    ("GET", "/livez"): _operation("service", "The process runs", named(Status)),
    ("GET", "/readyz"): _operation("service", "The store accepts writes", named(Status), 503),
    ("GET", "/metrics"): _or_without(_operation("service", "What Prometheus reads", _TEXT, 403, security=("token",))),
    ("GET", "/openapi.json"): _operation("service", "This document", {"type": "object"}),
}  # fmt: skip
