"""A provider of OpenID Connect that does as it is told, also what none may do; and a browser that only keeps cookies."""

import base64
import hashlib
import hmac
import json
import secrets
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import httpx2
import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

CLIENT, SECRET = "innerloop", "it is a+secret/of 20%"
KEY = rsa.generate_private_key(65_537, 2_048)
OTHER_KEY = rsa.generate_private_key(65_537, 2_048)


def public(key: rsa.RSAPrivateKey, name: str) -> dict[str, Any]:
    """The public half, as a provider publishes it."""
    return {**RSAAlgorithm.to_jwk(key.public_key(), as_dict=True), "kid": name, "use": "sig", "alg": "RS256"}


class Provider:
    """Answers on the loopback interface. What it is told nothing of, it does as it should."""

    def __init__(self) -> None:
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self.server.provider = self  # type: ignore[attr-defined]
        self.issuer = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        self.well()

    def well(self) -> "Provider":
        """Forget what it was told."""
        self.codes: dict[str, dict[str, str]] = {}
        self.asked: list[str] = []
        self.metadata: dict[str, Any] = {}
        self.claims: dict[str, Any] = {"groups": ["innerloop-viewers"], "preferred_username": "ada"}
        self.userinfo: dict[str, Any] = {"sub": "u-1"}
        self.keys: Any = [public(KEY, "k1")]
        self.sign = lambda claims: jwt.encode(claims, KEY, "RS256", {"kid": "k1"})
        self.instead: dict[str, tuple[int, bytes]] = {}  # by path: a status and a body
        self.drips: set[str] = set()  # paths at which it sends a byte now and then
        return self

    def lets_in(self, address: str) -> dict[str, str]:
        """What its user's browser is sent back with, from where it was sent to."""
        sent = dict(parse_qsl(urlsplit(address).query))
        code = secrets.token_urlsafe(8)
        self.codes[code] = sent
        return {"code": code, "state": sent["state"]}

    def says_of_itself(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": self.issuer + "/authorize",
            "token_endpoint": self.issuer + "/token",
            "jwks_uri": self.issuer + "/keys",
            "userinfo_endpoint": self.issuer + "/userinfo",
            "id_token_signing_alg_values_supported": ["RS256", "HS256", "none"],
            **self.metadata,
        }

    def answer(self, path: str, form: dict[str, str], authorization: str) -> tuple[int, bytes]:
        self.asked.append(path)
        if path in self.instead:
            return self.instead[path]
        if path == "/token":
            return self._token(form, authorization)
        if path == "/userinfo" and authorization != "Bearer the-access-token":
            return 401, b"{}"
        found = {"/.well-known/openid-configuration": self.says_of_itself(), "/keys": {"keys": self.keys}, "/userinfo": self.userinfo}
        return 200, json.dumps(found[path]).encode()

    def _token(self, form: dict[str, str], authorization: str) -> tuple[int, bytes]:
        """Exchange a code, once, for who proves to be the client that began."""
        sent = self.codes.pop(form["code"], None)
        shown = "Basic " + base64.b64encode(b"innerloop:it+is+a%2Bsecret%2Fof+20%25").decode()
        if authorization != shown:
            return 401, b'{"error": "invalid_client"}'
        if sent is None or challenge(form["code_verifier"]) != sent["code_challenge"] or form["redirect_uri"] != sent["redirect_uri"]:
            return 400, b'{"error": "invalid_grant"}'
        now = int(time.time())
        claims = {"iss": self.issuer, "sub": "u-1", "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": sent["nonce"], **self.claims}
        token = self.sign({name: value for name, value in claims.items() if value is not None})
        return 200, json.dumps({"id_token": token, "access_token": "the-access-token", "token_type": "Bearer"}).encode()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self._answer({})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self._answer({name: values[0] for name, values in parse_qs(body).items()})

    def _answer(self, form: dict[str, str]) -> None:
        provider: Provider = self.server.provider  # type: ignore[attr-defined]
        path = urlsplit(self.path).path
        status, content = provider.answer(path, form, self.headers.get("Authorization", ""))
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        if status == 302:
            self.send_header("Location", content.decode())
        self.end_headers()
        try:
            for place in range(0, len(content), 1 if path in provider.drips else len(content)):
                self.wfile.write(content[place : place + (1 if path in provider.drips else len(content))])
                self.wfile.flush()
                time.sleep(0.2 if path in provider.drips else 0)
        except OSError:
            pass  # who asked had enough

    def log_message(self, *_: object) -> None:
        pass


def challenge(verifier: str) -> str:
    """What a verifier was announced with (RFC 7636)."""
    return urlsafe(hashlib.sha256(verifier.encode()).digest())


def by_hand(header: dict[str, Any], claims: dict[str, Any], key: bytes | None) -> str:
    """A token as no library makes one: with an HMAC whose key is public, or with nothing."""
    return signed_by_hand(header, claims, lambda signed: hmac.digest(key, signed, "sha256") if key is not None else b"")


def signed_by_hand(header: dict[str, Any], claims: dict[str, Any], sign: Callable[[bytes], bytes]) -> str:
    """A token whose header says whatever it is to say."""
    signed = ".".join(urlsafe(json.dumps(part).encode()) for part in (header, claims))
    return f"{signed}.{urlsafe(sign(signed.encode()))}"


def urlsafe(content: bytes) -> str:
    """As tokens and keys are written."""
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


class Browser:
    """Keeps cookies as they are set, also those that are for TLS only."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.cookies: dict[str, str] = {}
        self.set: list[str] = []  # the headers
        self._http = httpx2.Client(trust_env=False, timeout=30)

    def get(self, path: str, /, **params: str) -> httpx2.Response:
        return self.ask("GET", path, params=params)

    def ask(self, method: str, path: str, **more: Any) -> httpx2.Response:
        told = {
            "Accept": "text/html",
            "Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()),
            **more.pop("headers", {}),
        }
        answer = self._http.request(method, self.url + path, headers=told, **more)
        for header in answer.headers.get_list("set-cookie"):
            name, _, value = header.partition(";")[0].partition("=")
            self.cookies[name] = value
            self.set.append(header)
        return answer

    def close(self) -> None:
        self._http.close()
