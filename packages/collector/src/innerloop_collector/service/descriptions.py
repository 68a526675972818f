"""What each route takes and answers, as OpenAPI says it. May import: the standard library.

A route that is new gets a line in OPERATIONS; the test of the document names those without one.
"""

from typing import Any

Schema = dict[str, Any]
Operation = dict[str, Any]

TAGS = {
    "ingest": "Segment's HTTP API. Authentication: the write key as Basic user name, or as `writeKey` in the body.",
    "people": "What a developer can ask for, with the secret that belongs to an id.",
    "session": "Signing in with a browser.",
    "operator": "What the command line asks a running service.",
    "service": "How the service is.",
}
SECURITY: dict[str, Schema] = {
    "writeKey": {"type": "http", "scheme": "basic", "description": "The write key is the user name; the password is empty."},
    "token": {"type": "http", "scheme": "bearer", "description": "A token with a role, or the one in DIR/admin-token."},
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": "__Host-innerloop",
        "description": "A session that was opened with a token. What changes something must come from the collector's own pages.",
    },
}
_PROBLEM = {"$ref": "#/components/schemas/Problem"}
_REASONS = {
    400: "The body cannot be understood; sending it again would not help.",
    401: "The key or token is missing, unknown or revoked.",
    403: "Not for who asks.",
    404: "There is no such thing, or it is another project's.",
    408: "The body did not arrive in time; send it again.",
    409: "It cannot be done like this; `detail` says what can.",
    413: "Larger than is accepted; sending it again would not help.",
    415: "The content encoding must be gzip or none.",
    429: "Too much waits already; send this again after `Retry-After` seconds.",
    503: "Nothing was stored; send this again after `Retry-After` seconds.",
}
_TEMPORARY = (408, 429, 503)


def _schema(properties: dict[str, Schema], required: tuple[str, ...] = (), **more: Any) -> Schema:
    return {"type": "object", "properties": properties, **({"required": list(required)} if required else {}), **more}


_HEX = {"type": "string", "pattern": "^[0-9a-fA-F]{64}$"}
_ANY_ID = {"type": ["string", "integer", "null"], "description": "Kept as a keyed hash only."}
SCHEMAS: dict[str, Schema] = {
    "Problem": _schema(
        {
            "type": {"type": "string"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
            "success": {"const": False},
            "code": {"type": "string"},
            "message": {"type": "string"},
        },
        ("type", "title", "status", "detail", "success", "code", "message"),
        description="RFC 9457, with what Segment's SDKs read.",
    ),
    "Accepted": _schema({"success": {"const": True}}, ("success",), description="Everything in the request is on the disk."),
    "Message": _schema(
        {
            "type": {"type": "string", "enum": ["track", "identify", "page", "screen", "group", "alias"]},
            "event": {"type": "string"},
            "userId": _ANY_ID,
            "anonymousId": _ANY_ID,
            "messageId": {"type": "string", "description": "What makes an event one event."},
            "timestamp": {"type": "string"},
            "properties": {"type": "object"},
            "context": {"type": "object"},
        },
        description="An event. What the project's plan does not name is set aside, not stored.",
    ),
    "Batch": _schema(
        {
            "batch": {"type": "array", "items": {"$ref": "#/components/schemas/Message"}, "maxItems": 2500},
            "sentAt": {"type": "string"},
            "writeKey": {"type": "string"},
            "context": _schema({"plan": {"type": "string"}, "erasure": {"type": "object", "additionalProperties": _HEX}}),
        },
        ("batch",),
    ),
    "Forget": _schema(
        {
            "ids": {
                "type": "array",
                "minItems": 1,
                "maxItems": 100,
                "items": _schema({"userId": {"type": "string", "minLength": 1}, "secret": _HEX}, ("userId", "secret")),
            }
        },
        ("ids",),
    ),
    "Forgotten": _schema(
        {
            "success": {"const": True},
            "receipt": {"type": "string"},
            "ids": {
                "type": "array",
                "items": _schema(
                    {
                        "userId": {"type": "string"},
                        "state": {"enum": ["erased", "unknown", "refused"]},
                        "events": {"type": "integer", "minimum": 0},
                    },
                    ("userId", "state", "events"),
                ),
            },
            "destinations": {"type": "array"},
        },
        ("success", "receipt", "ids", "destinations"),
    ),
    "Receipt": _schema(
        {
            "success": {"const": True},
            "receipt": {"type": "string"},
            "day": {"type": "string", "format": "date"},
            "ids": {"type": "integer", "minimum": 0},
            "events": {"type": "integer", "minimum": 0},
            "destinations": {"type": "array"},
        },
        ("success", "receipt", "day", "ids", "events", "destinations"),
    ),
    "Call": _schema({"operation": {"type": "string"}, "arguments": {"type": "object"}}, ("operation",)),
    "SignIn": _schema({"token": {"type": "string", "maxLength": 200}}, ("token",)),
    "Who": _schema(
        {
            "role": {"enum": ["viewer", "analyst", "admin"]},
            "label": {"type": "string"},
            "projects": {"type": ["array", "null"], "items": {"type": "string"}, "description": "null: all"},
            "via": {"enum": ["command line", "token", "session", "proxy"]},
            "ends": {"type": "string", "format": "date-time", "description": "When the session ends if it is not used any more."},
        },
        ("role", "label", "projects", "via"),
    ),
    "Status": _schema({"status": {"enum": ["alive", "ready"]}}, ("status",)),
}


def _named(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _problem(status: int) -> Schema:
    answer: Schema = {"description": _REASONS[status], "content": {"application/problem+json": {"schema": _PROBLEM}}}
    if status in _TEMPORARY:
        seconds = {"required": True, "schema": {"type": "integer", "minimum": 0}}
        answer["headers"] = {"Retry-After": seconds, "X-RateLimit-Reset": seconds}
    return answer


def _operation(
    tag: str,
    summary: str,
    answer: Schema | str,
    *problems: int,
    body: str = "",
    security: tuple[str, ...] = (),
    parameters: tuple[Schema, ...] = (),
) -> Operation:
    """Describe one operation: `answer` is the schema of 200, or the media type of one that is no JSON."""
    content = {answer: {"schema": {"type": "string"}}} if isinstance(answer, str) else {"application/json": {"schema": answer}}
    described: Operation = {
        "tags": [tag],
        "summary": summary,
        "responses": {"200": {"description": "Done.", "content": content}, **{str(status): _problem(status) for status in problems}},
        "security": [{name: []} for name in security],
    }
    if body:
        described["requestBody"] = {"required": True, "content": {"application/json": {"schema": _named(body)}}}
    if parameters:
        described["parameters"] = list(parameters)
    return described


_SEND = (400, 401, 408, 413, 415, 429, 503)


def _send(summary: str, body: str) -> Operation:
    operation = _operation("ingest", summary, _named("Accepted"), *_SEND, body=body, security=("writeKey",))
    return {**operation, "security": [{"writeKey": []}, {}]}  # {}: or the key is in the body


def _empty(operation: Operation) -> Operation:
    """An operation that answers without a body."""
    responses = {status: answer for status, answer in operation["responses"].items() if status != "200"}
    return {**operation, "responses": {"204": {"description": "Done."}, **responses}}


_RECEIPT = {"name": "receipt", "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
_TEXT = "text/plain"
OPERATIONS: dict[tuple[str, str], Operation] = {
    **{("POST", path): _send("Take a batch of events", "Batch") for path in ("/v1/batch", "/v1/b")},
    **{
        ("POST", path): _send(f"Take one event of the type {kind}", "Message")
        for kind in ("track", "identify", "page", "screen", "group", "alias")
        for path in (f"/v1/{kind}", f"/v1/{kind[0]}")
    },
    ("POST", "/v1/forget"): _operation(
        "people", "Erase ids whose secret is shown; answered when the bytes are gone", _named("Forgotten"), *_SEND, body="Forget",
        security=("writeKey",),
    ),
    ("GET", "/v1/forget/{receipt}"): _operation(
        "people", "What a receipt stands for", _named("Receipt"), 401, 404, 503, security=("writeKey",), parameters=(_RECEIPT,)
    ),
    ("POST", "/admin/v1/call"): _operation(
        "operator", "Run an operation", {"type": "object"}, 400, 401, 403, 409, 413, 503, body="Call", security=("token", "session")
    ),
    ("POST", "/session"): _empty(_operation("session", "Sign in: open a session with a token", {}, 400, 401, 403, 413, body="SignIn")),
    ("GET", "/session"): _operation("session", "Who one is", _named("Who"), 401, 403, security=("token", "session")),
    ("DELETE", "/session"): _empty(_operation("session", "Sign out", {}, 403, security=("session",))),
    ("GET", "/livez"): _operation("service", "The process runs", _named("Status")),
    ("GET", "/readyz"): _operation("service", "The store accepts writes", _named("Status"), 503),
    ("GET", "/metrics"): _operation("service", "What Prometheus reads", _TEXT, 403, security=("token",)),
    ("GET", "/openapi.json"): _operation("service", "This document", {"type": "object"}),
}  # fmt: skip
