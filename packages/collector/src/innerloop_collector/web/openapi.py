"""`/openapi.json`: the service describes itself, in OpenAPI 3.1.

The document is put together from the application's own routes: what is described and not served is left out, and a test demands that
everything that is served is described.
"""

import inspect
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from innerloop_collector import __version__
from innerloop_collector.admin.operation import Operation, schema
from innerloop_collector.web.descriptions import OPERATIONS, SECURITY, TAGS
from innerloop_collector.web.schemas import SCHEMAS

PATH = "/openapi.json"
_ABOUT = """Receives what innerloop measured, with consent, over Segment's HTTP API, and reports to the team.
Acknowledged means durable: 200 is answered once the events are on the disk. An event is stored once however often it is sent."""


class Description:
    """Serves the document."""

    def __init__(self) -> None:
        self._document = b""

    def routes(self) -> list[Route]:
        """`/openapi.json`."""
        return [Route(PATH, self._serve, methods=["GET"])]

    def write(self, routes: Iterable[BaseRoute], operations: Mapping[str, Operation]) -> None:
        """Describe an application and the operator's operations; to be called when all routes are known."""
        self._document = msgspec.json.format(msgspec.json.encode(document(routes, operations)))

    async def _serve(self, _: Request) -> Response:
        return Response(self._document, media_type="application/json")


def document(routes: Iterable[BaseRoute], operations: Mapping[str, Operation]) -> dict[str, Any]:
    """The document for an application's routes."""
    paths: dict[str, dict[str, Any]] = {}
    for path, method in served(routes):
        operation = OPERATIONS.get((method, path))
        if operation is not None:
            paths.setdefault(path, {})[method.lower()] = {"operationId": _operation_id(method, path), **operation}
    return {
        "openapi": "3.1.0",
        "info": {"title": "innerloop collector", "version": __version__, "description": _ABOUT, "license": {"name": "Apache-2.0"}},
        "servers": [{"url": "/"}],
        "tags": [{"name": name, "description": about} for name, about in TAGS.items()],
        "paths": paths,
        "components": {"schemas": {**SCHEMAS, "Call": _call(operations)}, "securitySchemes": SECURITY},
    }


def _call(operations: Mapping[str, Operation]) -> dict[str, Any]:
    """The body of a call: one of the operations, with the arguments that its method declares."""
    return {
        "description": "An operation by its name. Each needs at least a certain role.",
        "oneOf": [
            {
                "type": "object",
                "title": name,
                "description": f"{(inspect.getdoc(one.run) or '').splitlines()[0]} Role: {one.role.word}.",
                "properties": {"operation": {"const": name}, "arguments": schema(one.run)},
                "required": ["operation", "arguments"],
            }
            for name, one in sorted(operations.items())
        ],
    }


def served(routes: Iterable[BaseRoute]) -> Iterator[tuple[str, str]]:
    """Every path with every method that it takes, but HEAD, which goes with GET, and OPTIONS, which browsers ask by themselves."""
    for route in routes:
        if isinstance(route, Route) and route.include_in_schema:  # one that is not is another writing of one that is
            for method in sorted((route.methods or set()) - {"HEAD", "OPTIONS"}):
                yield route.path, method


def _operation_id(method: str, path: str) -> str:
    words = path.replace("{", "").replace("}", "").replace(".", "/").removesuffix("/").split("/")
    return method.lower() + "".join(word.capitalize() for word in words) + ("Slash" if path.endswith("/") else "")
