"""The seam to uvicorn: the guard of the connections and the server stand on parts of it that it does not promise to keep.

A version is allowed once these tests, and those of tests/collector/test_requests_and_connections.py, pass with it.
"""

import asyncio
import inspect
import tomllib
from typing import Any

import h11
import pytest
import uvicorn
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle
from uvicorn.server import ServerState

from innerloop_collector.web.connection_guard import GuardedProtocol
from innerloop_collector.web.http_server import _Server
from tests.conftest import ROOT

_OVERRIDDEN = {
    "connection_made": ["self", "transport"],
    "connection_lost": ["self", "exc"],
    "data_received": ["self", "data"],
    "on_response_complete": ["self"],
    "send_400_response": ["self", "msg"],
}
_OF_THE_SERVER = {
    "startup": ["self", "sockets"],
    "shutdown": ["self", "sockets"],
    "capture_signals": ["self"],
    "handle_exit": ["self", "sig", "frame"],
}


def test_the_version_is_bounded_and_is_the_one_that_is_tested() -> None:
    document = tomllib.loads((ROOT / "packages" / "collector" / "pyproject.toml").read_text())
    needed = document["project"]["optional-dependencies"]["embedded"]
    assert ["uvicorn>=0.54,<0.55"] == [one for one in needed if one.startswith("uvicorn")]
    assert uvicorn.__version__.startswith("0.54.")


@pytest.mark.parametrize("name", _OVERRIDDEN)
def test_what_the_guard_overrides_is_there_and_takes_the_same(name: str) -> None:
    theirs, ours = getattr(H11Protocol, name), getattr(GuardedProtocol, name)
    assert _OVERRIDDEN[name] == list(inspect.signature(theirs).parameters) == list(inspect.signature(ours).parameters)


@pytest.mark.parametrize("name", _OF_THE_SERVER)
def test_what_the_server_overrides_is_there_and_takes_the_same(name: str) -> None:
    theirs, ours = getattr(uvicorn.Server, name), getattr(_Server, name)
    assert _OF_THE_SERVER[name] == list(inspect.signature(theirs).parameters) == list(inspect.signature(ours).parameters)


async def _application(scope: Any, receive: Any, send: Any) -> None:
    """Never called."""


def test_what_the_guard_reads_is_there() -> None:
    async def look() -> None:
        config = uvicorn.Config(_application, http=H11Protocol, lifespan="off", ws="none", log_config=None)
        config.load()
        loop = asyncio.get_running_loop()
        protocol = H11Protocol(config, ServerState(), {})
        connected = asyncio.Event()
        server = await loop.create_server(lambda: connected.set() or protocol, "127.0.0.1", 0)
        _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        await connected.wait()
        assert isinstance(protocol.conn, h11.Connection)
        assert (None, None, loop) == (protocol.cycle, protocol.headers, protocol.loop)
        assert isinstance(protocol.transport, asyncio.Transport)
        assert isinstance(protocol.flow, FlowControl)
        assert protocol.flow.read_paused is False
        protocol._unset_keepalive_if_required()
        assert (b"", False) == protocol.conn.trailing_data
        writer.close()
        protocol.transport.abort()
        server.close()

    asyncio.run(look())
    cycle = set(inspect.signature(RequestResponseCycle).parameters)
    assert {"scope", "conn", "transport", "flow", "message_event", "on_response"} <= cycle
    written = inspect.getsource(RequestResponseCycle)
    assert all(f"self.{name}" in written for name in ("disconnected", "response_started", "response_complete", "message_event"))
