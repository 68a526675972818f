"""Programs that use OAuth: a signed request becomes a token, once, and the token dies with the key that it was given for."""

import base64
import hmac
import json
import time
import uuid
from typing import Any
from urllib.parse import urlencode

import httpx2
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from tests.collector.asking import asked
from tests.collector.support import KEY, Collector, project, run_event, toml

AUDIENCE = "https://collector.example.org"
TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
Pair = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


def private_pem(pair: Pair) -> str:
    return pair.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def public_pem(pair: Pair) -> str:
    return pair.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def add(collector: Collector, pair: Pair, name: str = "acme") -> httpx2.Response:
    """Have a public key accepted."""
    return asked(collector, "oauth.add", project=name, public_key=public_pem(pair))


def added(collector: Collector, pair: Pair) -> str:
    """Have a public key accepted. Returns its id."""
    return str(add(collector, pair).json()["id"])


@pytest.fixture(scope="module")
def pair() -> rsa.RSAPrivateKey:
    """A key pair; making one takes a second at times."""
    return rsa.generate_private_key(65537, 2048)


@pytest.fixture(scope="module")
def giving(shared: Collector) -> Collector:
    """A running collector that gives tokens. Its address is configured with a slash at the end, and SDKs leave that out."""
    shared.stop()
    shared.environment["INNERLOOP_COLLECTOR_INGEST_OAUTH_AUDIENCE"] = AUDIENCE + "/"
    return shared.start()


@pytest.fixture(scope="module")
def key_id(giving: Collector, pair: rsa.RSAPrivateKey) -> str:
    """The id of a key that is accepted there."""
    return added(giving, pair)


def ask(collector: Collector, pair: Pair, key_id: str, *, algorithm: str = "RS256", form: Any = None, **claims: Any) -> httpx2.Response:
    """Ask for a token as the SDKs do, with some claims changed (None: left out)."""
    now = int(time.time())
    whole = {"iss": "acme", "sub": "acme", "aud": AUDIENCE, "iat": now - 5, "exp": now + 55, "jti": str(uuid.uuid4()), **claims}
    said = {name: value for name, value in whole.items() if value is not None}
    signed = jwt.encode(said, private_pem(pair), algorithm, {"kid": key_id})
    return post(collector, {"client_assertion": signed, **(form or {})})


def post(collector: Collector, form: dict[str, str]) -> httpx2.Response:
    usual = {"grant_type": "client_credentials", "client_assertion_type": TYPE, "scope": "tracking_api:write"}
    content = urlencode({**usual, **form}).encode()
    return collector.http.post(collector.url + "/token", content=content, headers={"Content-Type": "application/x-www-form-urlencoded"})


def signed_by_text(claims: dict[str, Any], text: str, key_id: str) -> str:
    """Sign with a text that is no secret, such as the public key: what a check would take that lets the token choose how."""
    head, body = (_base64(json.dumps(part).encode()) for part in ({"alg": "HS256", "typ": "JWT", "kid": key_id}, claims))
    return f"{head}.{body}.{_base64(hmac.digest(text.encode(), f'{head}.{body}'.encode(), 'sha256'))}"


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def send(collector: Collector, token: str, key: str = KEY) -> int:
    """Send an event with a token. Returns the status."""
    body = {"batch": [run_event()], "writeKey": key}
    return collector.post("/v1/batch", body, None, {"Authorization": f"Bearer {token}"}).status_code


def test_a_token_and_the_write_key_together_let_a_program_send(giving: Collector, pair: rsa.RSAPrivateKey, key_id: str) -> None:
    before = giving.stored
    response = ask(giving, pair, key_id)
    answer = response.json()

    assert (200, "no-store") == (response.status_code, response.headers["cache-control"])
    assert ("Bearer", 86_400, "tracking_api:write") == (answer["token_type"], answer["expires_in"], answer["scope"])
    assert 200 == send(giving, answer["access_token"])
    assert 401 == send(giving, answer["access_token"], "acme.wrong")
    assert 401 == giving.post("/v1/batch", {"batch": []}, None, {"Authorization": f"Bearer {answer['access_token']}"}).status_code
    assert before + 1 == giving.stored


def test_a_token_and_a_public_key_belong_to_one_project(giving: Collector, pair: rsa.RSAPrivateKey, key_id: str) -> None:
    document = project(project={"id": "other", "write_key": "other.0123456789abcdefghijklmn"})
    asked(giving, "projects.apply", toml=toml(document), source="other.toml")
    other = asked(giving, "keys.create", project="other").json()["key"]
    token = ask(giving, pair, key_id).json()["access_token"]

    assert 401 == send(giving, token, other)
    assert key_id == added(giving, pair)
    again = add(giving, pair, "other")
    assert (409, True) == (again.status_code, "acme" in again.json()["detail"])


def test_a_token_dies_with_its_key_and_a_request_is_good_once_also_over_a_crash(idle: Collector, pair: rsa.RSAPrivateKey) -> None:
    idle.environment["INNERLOOP_COLLECTOR_INGEST_OAUTH_AUDIENCE"] = AUDIENCE
    idle.start_with()
    file = idle.write({}, "public.pem")
    file.write_text(public_pem(pair))
    key_id, now = str(idle.ask("keys", "oauth", "add", "acme", "--public-key", str(file))["id"]), int(time.time())
    once: dict[str, Any] = {"jti": "a-name-to-look-for", "iat": now, "exp": now + 60}
    token = ask(idle, pair, key_id, **once).json()["access_token"]
    assert 401 == ask(idle, pair, key_id, **once).status_code
    idle.kill()
    idle.start()
    assert 401 == ask(idle, pair, key_id, **once).status_code
    assert 200 == send(idle, token)

    idle.cli("keys", "oauth", "revoke", key_id)

    assert 511 == send(idle, token)  # on 401 an SDK throws the batch away without asking for another token
    refused = ask(idle, pair, key_id)
    assert (401, "invalid_client") == (refused.status_code, refused.json()["error"])
    assert "revoked" in idle.cli("keys", "oauth", "list").stdout
    idle.stop()
    kept = idle.bytes_on_disk() + idle.log.encode()
    assert token.encode() not in kept
    assert b"a-name-to-look-for" not in kept


@pytest.mark.parametrize("token", ["x", "a.b.c", KEY])
def test_what_is_no_token_of_ours_lets_nobody_send(giving: Collector, token: str) -> None:
    assert 511 == send(giving, token)


def test_a_token_that_anybody_could_make_lets_nobody_send(giving: Collector, pair: rsa.RSAPrivateKey, key_id: str) -> None:
    claims = {"sub": key_id, "scope": "tracking_api:write", "exp": int(time.time()) + 1000}

    assert 511 == send(giving, jwt.encode(claims, "", "none"))
    assert 511 == send(giving, signed_by_text(claims, "", key_id))
    assert 511 == send(giving, signed_by_text(claims, public_pem(pair), key_id))
    assert 511 == send(giving, jwt.encode(claims, private_pem(pair), "RS256"))


def test_a_token_expires(idle: Collector, pair: rsa.RSAPrivateKey) -> None:
    idle.environment |= {"INNERLOOP_COLLECTOR_INGEST_OAUTH_AUDIENCE": AUDIENCE, "INNERLOOP_COLLECTOR_INGEST_OAUTH_TOKEN_SECONDS": "1"}
    idle.start_with()
    token = ask(idle, pair, added(idle, pair)).json()["access_token"]

    deadline = time.monotonic() + 10
    while (status := send(idle, token)) == 200 and time.monotonic() < deadline:
        time.sleep(0.2)
    assert 511 == status


NOW = int(time.time())  # at the collection, which may be half an hour before a test
REFUSED: dict[str, tuple[dict[str, Any], int, str, str]] = {
    "late": ({"iat": NOW - 1000, "exp": NOW - 940}, 400, "invalid_request", "Token is expired"),
    "early": ({"iat": NOW + 100_000, "exp": NOW + 100_060}, 400, "invalid_request", "Token used before issued"),
    "for long": ({"exp": NOW + 100_000}, 401, "invalid_client", "the assertion is good for more than 65 seconds"),
    "for another": ({"aud": "https://oauth2.segment.io"}, 401, "invalid_client", "the assertion is meant for another address"),
    "by another": ({"iss": "other"}, 401, "invalid_client", "iss and sub must be the client id, which is the project's id"),
    "about another": ({"sub": "other"}, 401, "invalid_client", "iss and sub must be the client id, which is the project's id"),
    "nameless": ({"jti": None}, 401, "invalid_client", "the assertion is not one, or another key signed it"),
    "timeless": ({"exp": None}, 401, "invalid_client", "the assertion is not one, or another key signed it"),
    "time as text": ({"exp": "soon"}, 401, "invalid_client", "iat and exp must be seconds since 1970"),
    "endless": ({"exp": float("inf")}, 401, "invalid_client", "iat and exp must be seconds since 1970"),
    "other grant": ({"form": {"grant_type": "password"}}, 400, "unsupported_grant_type", "grant_type must be client_credentials"),
    "other scope": ({"form": {"scope": "admin"}}, 400, "invalid_scope", "scope must be tracking_api:write"),
    "no assertion": ({"form": {"client_assertion": ""}}, 401, "invalid_client", "the assertion is not one, or another key signed it"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_refused_request_says_why_in_the_words_of_oauth_and_of_segment(
    giving: Collector, pair: rsa.RSAPrivateKey, key_id: str, case: str
) -> None:
    """An SDK looks `error` and `error_description` up in each refusal; Python's would wait forever for them."""
    claims, status, error, why = REFUSED[case]
    response = ask(giving, pair, key_id, **claims)
    problem = response.json()

    assert (status, error, why) == (response.status_code, problem["error"], problem["error_description"])
    assert (False, error, why) == (problem["success"], problem["code"], problem["message"])


def test_only_the_private_half_of_the_named_key_gets_a_token(giving: Collector, pair: rsa.RSAPrivateKey, key_id: str) -> None:
    claims = {"iss": "acme", "sub": "acme", "aud": AUDIENCE, "iat": NOW, "exp": int(time.time()) + 30, "jti": "x"}

    assert 401 == ask(giving, rsa.generate_private_key(65537, 2048), key_id).status_code
    assert 401 == ask(giving, pair, "0123456789abcdef").status_code
    assert 401 == post(giving, {"client_assertion": jwt.encode(claims, "", "none", {"kid": key_id})}).status_code
    assert 401 == post(giving, {"client_assertion": signed_by_text(claims, public_pem(pair), key_id)}).status_code
    assert 401 == post(giving, {"client_assertion": "\x00é"}).status_code


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe", b"&".join(b"a=1" for _ in range(50)), b"a" * 30_000], ids=["none", "bytes", "many", "large"]
)
def test_whatever_is_posted_there_gets_an_answer_in_full(giving: Collector, content: bytes) -> None:
    response = giving.http.post(giving.url + "/token", content=content)

    assert response.status_code in (400, 413)
    assert response.json()["error"]
    assert response.json()["error_description"]


def test_without_an_address_of_its_own_a_collector_gives_no_tokens(collector: Collector, pair: rsa.RSAPrivateKey) -> None:
    response = ask(collector, pair, added(collector, pair))

    assert 401 == response.status_code
    assert "oauth_audience" in response.json()["error_description"]


def test_only_a_public_rsa_key_of_2048_bits_is_accepted(giving: Collector, pair: rsa.RSAPrivateKey, key_id: str) -> None:
    wrong = {
        private_pem(pair): "private key",
        public_pem(ec.generate_private_key(ec.SECP256R1())): "RSA",
        public_pem(rsa.generate_private_key(65537, 1024)): "2048 bits",
        "not a key": "PEM",
    }
    for text, why in wrong.items():
        answer = asked(giving, "oauth.add", project="acme", public_key=text)
        assert (409, True) == (answer.status_code, why in answer.json()["detail"]), answer.text
    assert 409 == add(giving, pair, "nobody").status_code
    assert [key_id] == [key["id"] for key in asked(giving, "oauth.list").json()["keys"]]
