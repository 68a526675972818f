"""The shapes of what routes take and answer, as JSON schemas."""

from typing import Any

Schema = dict[str, Any]


def _schema(properties: dict[str, Schema], required: tuple[str, ...] = (), **more: Any) -> Schema:
    return {"type": "object", "properties": properties, **({"required": list(required)} if required else {}), **more}


_HEX = {"type": "string", "pattern": "^[0-9a-fA-F]{64}$"}
_ANY_ID = {"type": ["string", "number", "null"], "description": "Kept as a keyed hash only."}
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
            "messageId": {"type": ["string", "number", "null"], "description": "What makes an event one event."},
            "timestamp": {"type": ["string", "null"]},
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
    "Given": _schema({"token": {"type": "string", "maxLength": 200}}, ("token",)),
    "Who": _schema(
        {
            "role": {"enum": ["viewer", "analyst", "admin"]},
            "label": {"type": "string"},
            "projects": {"type": ["array", "null"], "items": {"type": "string"}, "description": "null: all"},
            "via": {"type": "string"},
            "ends": {"type": "string", "description": "When the session does."},
        },
        ("role", "label", "projects", "via"),
    ),
    "TokenRequest": _schema(
        {
            "grant_type": {"const": "client_credentials"},
            "client_assertion_type": {"type": "string"},
            "client_assertion": {"type": "string"},
            "scope": {"type": "string"},
        }
    ),
    "Token": _schema(
        {
            "access_token": {"type": "string"},
            "token_type": {"const": "Bearer"},
            "expires_in": {"type": "integer"},
            "scope": {"type": "string"},
        },
        ("access_token", "token_type", "expires_in", "scope"),
    ),
    "Status": _schema(
        {
            "status": {"enum": ["alive", "ready"]},
            "detail": {"type": "string", "description": "What an operator should know although all is served; `check` says more."},
        },
        ("status",),
    ),
}
