"""Segment's SDKs with OAuth: they fetch a token, send with it, fetch another one when it is stale, and end when they get none."""

import contextlib
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from innerloop_collector.http import responses
from tests.collector.support import Collector
from tests.sdks.conftest import EXACT
from tests.sdks.proxy import CUTS, Proxy
from tests.sdks.sdks import SDKS, Sdk, Sending
from tests.sdks.test_answers import answer
from tests.sdks.test_delivery import order, stored

PYTHON, NODE = SDKS["segment-analytics-python 2.4.0"], SDKS["@segment/analytics-node 3.1.0"]
COUNT = 60


@pytest.fixture
def proxy() -> Any:
    """The one address that SDKs know, of which the collector is told as well."""
    with Proxy("", seed=3, harm=CUTS, rate=0.3) as proxy:
        yield proxy


@pytest.fixture
def giving(proxy: Proxy, tmp_path: Path) -> Any:
    """A running collector behind the proxy that gives tokens."""
    (tmp_path / "giving").mkdir()
    collector = Collector(tmp_path / "giving")
    collector.environment["INNERLOOP_COLLECTOR_INGEST_OAUTH_AUDIENCE"] = proxy.url
    try:
        collector.start_with(EXACT)
        proxy.target = collector.url
        yield collector
    finally:
        collector.close()


def options(sdk: Sdk, private_key: str, key_id: str, server: str) -> dict[str, Any]:
    """How each SDK is told to use OAuth."""
    if sdk is PYTHON:
        named = {"client_id": "acme", "client_key": private_key, "key_id": key_id, "auth_server": server}
        return {f"oauth_{name}": value for name, value in named.items()}
    return {"oauthSettings": {"clientId": "acme", "clientKey": private_key, "keyId": key_id, "authServer": server}, "maxEventsInBatch": 10}


@pytest.mark.slow
def test_segments_sdks_deliver_with_tokens_renew_stale_ones_and_end_when_they_get_none(
    giving: Collector, proxy: Proxy, tmp_path: Path
) -> None:
    pair = rsa.generate_private_key(65537, 2048)
    private_key = pair.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    (tmp_path / "public.pem").write_bytes(pair.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    key_id = giving.ask("keys", "oauth", "add", "acme", "--public-key", str(tmp_path / "public.pem"))["id"]

    def send(sdk: Sdk, first: int, **more: Any) -> Sending:
        told = {**order(giving, sdk, first, COUNT), "options": {**options(sdk, private_key, key_id, proxy.url), **more}}
        return Sending(sdk, proxy.url, told, tmp_path)

    proxy.instead = {first: answer(responses.stale_token()) for first in (1, 1001)}
    with contextlib.ExitStack() as stack:
        delivered = [stack.enter_context(send(PYTHON, 1)), stack.enter_context(send(NODE, 1001))]
        given_up = [sending.finish(60) for sending in delivered]
    tokens = sum(seen.path == "/token" for seen in proxy.requests)
    batches = [seen for seen in proxy.requests if seen.path != "/token"]
    giving.cli("keys", "oauth", "revoke", key_id)
    refused = [send(PYTHON, 2001).finish(60), send(NODE, 3001, maxRetries=2).finish(60)]  # by default Node's tries for minutes
    found = stored(giving)

    assert [set(), set()] == given_up, [sending.log for sending in delivered]
    assert tokens >= 4
    assert {"Bearer"} == {seen.headers["Authorization"].split()[0] for seen in batches}
    assert [set(range(2001, 2001 + COUNT)), set(range(3001, 3001 + COUNT))] == refused
    assert {**dict.fromkeys(range(1, 1 + COUNT), 1), **dict.fromkeys(range(1001, 1001 + COUNT), 1)} == found
