"""Which project does a request write to? May import: the store's registry, answers."""

import base64
import binascii
from typing import Any

from starlette.requests import Request

from innerloop_collector.ingest.answers import unknown_key
from innerloop_collector.store.registry import Registry


def key_in_header(request: Request) -> str | None:
    """The write key that Basic authentication carries as user name. None: no such header."""
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        return base64.b64decode(encoded.strip(), validate=True).decode("utf-8").partition(":")[0]
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return ""


def project_for(key: str | None, document: dict[str, Any], registry: Registry) -> str:
    """The project of the key in the header, else of the one in the body."""
    project = registry.project_of(key_of(key, document))
    if project is None:
        raise unknown_key()
    return project


def key_of(key: str | None, document: dict[str, Any]) -> str:
    """The write key in the header, else the one in the body."""
    if key is not None:
        return key
    in_body = document.get("writeKey")
    return in_body if isinstance(in_body, str) else ""
