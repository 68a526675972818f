"""What is believed of what a provider of OpenID Connect says, and what is refused: asked of one that does as it is told."""

import asyncio
import hashlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
import trustme
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from msgspec.structs import replace

from innerloop_collector.access.openid import OpenIDConnect
from innerloop_collector.access.openid_client import Client
from innerloop_collector.access.principal import Principal
from innerloop_collector.composition.sign_in_parts import openid
from innerloop_collector.config.configuration import OpenID
from innerloop_collector.errors import Denied, ProviderFailed, Unknown, UsageError
from tests.dashboard.providers import CLIENT, KEY, OTHER_KEY, SECRET, Provider, by_hand, public, signed_by_hand, urlsafe

OURS = "https://innerloop.example.org/sign-in/openid/callback"
ROLES = {"innerloop-admins": "admin", "innerloop-viewers": "viewer"}


@pytest.fixture(scope="module")
def made() -> Iterator[Provider]:
    provider = Provider()
    yield provider
    provider.close()


@pytest.fixture
def provider(made: Provider) -> Provider:
    return made.well()


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The client's secret, and one authority in the place of the system's, which take long to read."""
    place = tmp_path_factory.mktemp("openid")
    (place / "secret").write_text(SECRET + "\n")
    trustme.CA().cert_pem.write_to_path(str(place / "authority.pem"))
    return place / "secret", place / "authority.pem"


@pytest.fixture
def settings(provider: Provider, files: tuple[Path, Path]) -> OpenID:
    secret, authority = files
    return OpenID(
        issuer=provider.issuer,
        client_id=CLIENT,
        client_secret_file=str(secret),
        redirect_uri=OURS,
        roles=ROLES,
        ca_file=str(authority),
        timeout_seconds=5.0,
    )


def signing_in(settings: OpenID) -> OpenIDConnect:
    found = openid(settings)
    assert found is not None
    return found


def signed_in(settings: OpenID, provider: Provider, **more: str) -> tuple[Principal, str]:
    """What becomes of somebody who goes there and comes back."""

    async def there_and_back() -> tuple[Principal, str]:
        ours = signing_in(settings)
        address, browser = await ours.begin("", "/p/acme")
        return await ours.end(browser, {**provider.lets_in(address), **more})

    return asyncio.run(there_and_back())


def test_who_comes_back_has_the_role_of_their_group_and_the_page_that_they_wanted(provider: Provider, settings: OpenID) -> None:
    who, path = signed_in(settings, provider)

    assert ("viewer", "ada", None, "session", "/p/acme") == (who.role.word, who.label, who.projects, who.via, path)
    assert ["/.well-known/openid-configuration", "/token", "/keys"] == provider.asked


def test_a_browser_is_sent_with_a_challenge_a_state_and_a_nonce_that_are_new_each_time(provider: Provider, settings: OpenID) -> None:
    ours = signing_in(settings)
    told = [parse_qs(urlsplit(asyncio.run(ours.begin("", "/"))[0]).query) for _ in range(2)]

    for one in told:
        assert (["code"], ["S256"], [OURS], ["openid profile email"]) == tuple(
            one[name] for name in ("response_type", "code_challenge_method", "redirect_uri", "scope")
        )
    for name in ("state", "nonce", "code_challenge"):
        assert 2 == len({one[name][0] for one in told})
        assert all(len(one[name][0]) >= 43 for one in told)


@pytest.mark.parametrize(
    ("claims", "role"),
    [
        ({"groups": "innerloop-admins"}, "admin"),
        ({"groups": ["x", "innerloop-viewers", "innerloop-admins"]}, "admin"),
        ({"groups": ["innerloop-viewers", 3, None]}, "viewer"),
        ({"groups": []}, ""),
        ({"groups": ["innerloop"]}, ""),
        ({"groups": {"innerloop-admins": True}}, ""),
        ({"groups": None}, ""),
    ],
)
def test_the_first_line_that_fits_gives_the_role_and_without_one_nobody_comes_in(
    provider: Provider, settings: OpenID, claims: dict[str, Any], role: str
) -> None:
    provider.claims |= claims
    provider.userinfo = {"sub": "u-1"}
    if role:
        assert role == signed_in(settings, provider)[0].role.word
    else:
        with pytest.raises(Denied, match="your account has no role here"):
            signed_in(settings, provider)


def test_what_a_provider_tells_only_when_asked_counts_if_it_is_about_the_same_person(provider: Provider, settings: OpenID) -> None:
    provider.claims["groups"] = None
    provider.userinfo = {"sub": "u-1", "groups": ["innerloop-admins"], "preferred_username": "somebody else"}
    who, _ = signed_in(settings, provider)
    assert ("admin", "ada") == (who.role.word, who.label), "the token comes first"

    provider.userinfo["sub"] = "u-2"
    with pytest.raises(ProviderFailed):
        signed_in(settings, provider)


@pytest.mark.parametrize("claim", ["groups", "projects", "preferred_username"])
def test_each_claim_that_is_not_in_the_token_is_asked_for(provider: Provider, settings: OpenID, claim: str) -> None:
    said = {"groups": ["innerloop-admins"], "projects": ["acme"], "preferred_username": "ada"}
    provider.claims = {**said, claim: None}
    provider.userinfo = {"sub": "u-1", claim: said[claim]}
    who, _ = signed_in(replace(settings, projects_claim="projects"), provider)

    assert ("admin", {"acme"}, "ada") == (who.role.word, who.projects, who.label)
    assert "/userinfo" == provider.asked[-1]


def test_a_claim_can_say_which_projects_somebody_sees(provider: Provider, settings: OpenID) -> None:
    settings = replace(settings, projects_claim="projects")
    for said, seen in ((["acme", "shop"], {"acme", "shop"}), ("acme", {"acme"}), (None, set()), (["acme", "*"], None)):
        provider.claims["projects"] = said
        assert seen == signed_in(settings, provider)[0].projects


@pytest.mark.parametrize(("said", "label"), [("a\x1b[31m\n<b>", "a[31m<b>"), ("x" * 5_000, "x" * 100), ({"a": 1}, "u-1"), (None, "u-1")])
def test_a_name_is_one_bounded_line(provider: Provider, settings: OpenID, said: Any, label: str) -> None:
    provider.claims["preferred_username"] = said

    assert label == signed_in(settings, provider)[0].label


WRONG_CLAIMS: dict[str, dict[str, Any]] = {
    "another issuer": {"iss": "https://else.example"},
    "no issuer": {"iss": None},
    "another audience": {"aud": "else"},
    "two audiences, authorized party another": {"aud": [CLIENT, "else"], "azp": "else"},
    "two audiences and no authorized party": {"aud": ["else", CLIENT]},
    "another nonce": {"nonce": "x"},
    "no nonce": {"nonce": None},
    "no subject": {"sub": None},
    "no expiry": {"exp": None},
    "an expiry that is none": {"exp": "never"},
    "an access token's hash that is another's": {"at_hash": "x"},
}


@pytest.mark.parametrize("wrong", WRONG_CLAIMS, ids=str)
def test_a_token_that_is_not_from_them_for_us_and_for_this_sign_in_opens_nothing(provider: Provider, settings: OpenID, wrong: str) -> None:
    provider.claims |= WRONG_CLAIMS[wrong]

    with pytest.raises(Unknown, match="cannot be believed"):
        signed_in(settings, provider)


@pytest.mark.parametrize(("claim", "seconds", "good"), [("exp", -30, True), ("exp", -90, False), ("iat", 30, True), ("iat", 90, False), ("nbf", 30, True), ("nbf", 90, False)])  # fmt: skip
def test_clocks_may_lie_a_minute_apart(provider: Provider, settings: OpenID, claim: str, seconds: int, good: bool) -> None:
    provider.claims[claim] = int(time.time()) + seconds
    if good:
        assert "viewer" == signed_in(settings, provider)[0].role.word
    else:
        with pytest.raises(Unknown):
            signed_in(settings, provider)


PEM = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
FORGED = {
    "not signed": lambda claims: by_hand({"alg": "none"}, claims, None),
    "not signed, in other letters": lambda claims: by_hand({"alg": "nOnE", "kid": "k1"}, claims, None),
    "with what is public as a secret": lambda claims: by_hand({"alg": "HS256", "kid": "k1"}, claims, PEM),
    "with the client's own secret": lambda claims: by_hand({"alg": "HS256"}, claims, SECRET.encode()),
    "with another key": lambda claims: jwt.encode(claims, OTHER_KEY, "RS256", {"kid": "k1"}),
    "with a key of its own": lambda claims: jwt.encode(claims, OTHER_KEY, "RS256", {"jwk": public(OTHER_KEY, "k1")}),
    "with a key that is not published": lambda claims: jwt.encode(claims, OTHER_KEY, "RS256", {"kid": "k2"}),
    "with an algorithm that it does not name": lambda claims: jwt.encode(claims, KEY, "RS512", {"kid": "k1"}),
    "not a token": lambda _: "x",
    "nothing": lambda _: "",
    "a huge one": lambda claims: jwt.encode({**claims, "more": "x" * 130_000}, KEY, "RS256", {"kid": "k1"}),
}


@pytest.mark.parametrize("forged", FORGED, ids=str)
def test_a_token_that_the_provider_did_not_sign_opens_nothing(provider: Provider, settings: OpenID, forged: str) -> None:
    provider.sign = FORGED[forged]

    with pytest.raises(Unknown, match="cannot be believed"):
        signed_in(settings, provider)


@pytest.mark.parametrize(
    "keys", [[], None, "x", [{}], [{"kty": "oct", "k": "eA", "kid": "k1"}], [{"kty": "RSA", "n": "", "e": "AQAB", "kid": "k1"}]]
)
def test_keys_that_are_none_open_nothing(provider: Provider, settings: OpenID, keys: Any) -> None:
    provider.keys = keys

    with pytest.raises(Unknown):
        signed_in(settings, provider)


@pytest.mark.filterwarnings("ignore:EdDSA")  # joserfc has a newer name for it, which few providers use
@pytest.mark.parametrize("algorithm", ["EdDSA", "Ed25519"])
def test_a_token_by_an_edwards_curve_is_believed_with_its_hash_of_the_access_token(
    provider: Provider, settings: OpenID, algorithm: str
) -> None:
    key = Ed25519PrivateKey.generate()
    provider.metadata = {"id_token_signing_alg_values_supported": [algorithm]}
    provider.keys = [{"kty": "OKP", "crv": "Ed25519", "x": urlsafe(key.public_key().public_bytes_raw()), "kid": "k3"}]
    provider.sign = lambda claims: signed_by_hand({"alg": algorithm, "kid": "k3"}, claims, key.sign)
    provider.claims["at_hash"] = urlsafe(hashlib.sha512(b"the-access-token").digest()[:32])
    assert "viewer" == signed_in(settings, provider)[0].role.word

    provider.claims["at_hash"] = urlsafe(hashlib.sha512(b"another").digest()[:32])
    with pytest.raises(Unknown):
        signed_in(settings, provider)


def test_new_keys_count_at_once(provider: Provider, settings: OpenID) -> None:
    ours = signing_in(settings)

    async def once() -> str:
        address, browser = await ours.begin("", "/")
        return (await ours.end(browser, provider.lets_in(address)))[0].role.word

    assert "viewer" == asyncio.run(once())
    provider.keys = [public(OTHER_KEY, "k2")]
    provider.sign = lambda claims: jwt.encode(claims, OTHER_KEY, "RS256", {"kid": "k2"})
    assert "viewer" == asyncio.run(once())


UNUSABLE: dict[str, dict[str, Any]] = {
    "another issuer": {"issuer": "https://else.example"},
    "the issuer with a slash": {"issuer": "SLASH"},
    "no token endpoint": {"token_endpoint": None},
    "a token endpoint without TLS": {"token_endpoint": "http://else.example/token"},
    "keys without TLS": {"jwks_uri": "http://else.example/keys"},
    "a sign-in page that is a script": {"authorization_endpoint": "javascript:alert(1)"},
    "a sign-in page that names a user": {"authorization_endpoint": "https://id.example@else.example/"},
    "an address that is none": {"userinfo_endpoint": "http://[x"},
    "a number": {"authorization_endpoint": 3},
}


@pytest.mark.parametrize("wrong", UNUSABLE, ids=str)
def test_a_provider_that_says_of_itself_what_cannot_be_is_not_used(provider: Provider, settings: OpenID, wrong: str) -> None:
    provider.metadata = {name: provider.issuer + "/" if value == "SLASH" else value for name, value in UNUSABLE[wrong].items()}

    with pytest.raises(ProviderFailed):
        signed_in(settings, provider)


ODD = {
    "huge": (200, b'{"x": "' + b"x" * 300_000 + b'"}'),
    "deep": (200, b"[" * 100_000),
    "no JSON": (200, b"<html>"),
    "a list": (200, b"[]"),
    "not UTF-8": (200, b'{"x": "\xff"}'),
    "nothing": (200, b""),
    "an error": (500, b"{}"),
    "a redirection": (302, b"http://127.0.0.1:1/"),
}


@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/token", "/keys", "/userinfo"])
@pytest.mark.parametrize("odd", ODD, ids=str)
def test_an_answer_that_is_none_is_bounded_and_refused(provider: Provider, settings: OpenID, path: str, odd: str) -> None:
    provider.claims["groups"] = None
    provider.instead[path] = ODD[odd]
    with pytest.raises(ProviderFailed):
        signed_in(settings, provider)

    assert path == provider.asked[-1], "no redirection is followed, nothing else is asked"


def test_a_provider_that_drips_is_left_in_time(provider: Provider, settings: OpenID) -> None:
    provider.drips = {"/token"}
    began = time.monotonic()
    with pytest.raises(ProviderFailed, match="does not answer"):
        signed_in(replace(settings, timeout_seconds=1.0), provider)

    assert time.monotonic() - began < 10


def test_a_provider_that_is_away_is_said_to_be(settings: OpenID) -> None:
    with pytest.raises(ProviderFailed, match="does not answer"):
        asyncio.run(signing_in(replace(settings, issuer="http://127.0.0.1:1")).begin("", "/"))


def test_more_sign_ins_than_can_be_asked_for_at_once_are_told_to_come_back(provider: Provider, settings: OpenID) -> None:
    provider.drips = {"/.well-known/openid-configuration"}

    async def crowd() -> list[str]:
        ours = signing_in(replace(settings, timeout_seconds=1.0))
        found = await asyncio.gather(*(ours.begin("", "/") for _ in range(23)), return_exceptions=True)
        return [str(one) for one in found if "too many people" in str(one)]

    assert 3 == len(asyncio.run(crowd()))


class AtOnce:
    """A provider that lets everybody in, as fast as it may. It remembers for how many it was asked at the same time."""

    def __init__(self) -> None:
        self.asked = self.most = 0

    async def address(self, state: str, _nonce: str, _verifier: str) -> str:
        return state

    async def claims(self, _code: str, _nonce: str, _verifier: str) -> dict[str, Any]:
        self.asked += 1
        self.most = max(self.most, self.asked)
        await asyncio.sleep(0)
        self.asked -= 1
        return {"groups": "innerloop-viewers"}


def at_once(settings: OpenID, provider: AtOnce, clock: Callable[[], float] = time.monotonic) -> OpenIDConnect:
    client = Client.of(settings)
    assert client is not None
    return OpenIDConnect(client, provider, clock)


def test_whoever_begins_any_number_of_sign_ins_takes_none_from_others(settings: OpenID) -> None:
    async def crowd() -> str:
        ours = at_once(settings, AtOnce())
        state, browser = await ours.begin("", "/p/acme")
        for _ in range(10_001):
            await ours.begin("", "/" + "x" * 900)
        return (await ours.end(browser, {"state": state, "code": "x"}))[1]

    assert "/p/acme" == asyncio.run(crowd())


def test_who_comes_back_while_many_do_waits_in_turn_and_is_let_in(settings: OpenID) -> None:
    provider = AtOnce()

    async def crowd() -> int:
        ours = at_once(settings, provider)
        begun = [await ours.begin("", "/") for _ in range(100)]
        ended = (ours.end(browser, {"state": state, "code": "x"}) for state, browser in begun)
        return len(await asyncio.gather(*ended))

    assert (100, 20) == (asyncio.run(crowd()), provider.most)


def test_a_sign_in_is_good_for_ten_minutes_and_its_use_is_remembered_as_long(settings: OpenID) -> None:
    now = [1_000.0]

    async def later(seconds: float, *, again: bool) -> None:
        ours = at_once(settings, AtOnce(), lambda: now[0])
        state, browser = await ours.begin("", "/")
        if again:
            await ours.end(browser, {"state": state, "code": "x"})
        now[0] += seconds
        await ours.end(*await used_by_another(ours))
        await ours.end(browser, {"state": state, "code": "x"})

    async def used_by_another(ours: OpenIDConnect) -> tuple[str, dict[str, str]]:
        state, browser = await ours.begin("", "/")
        return browser, {"state": state, "code": "x"}

    asyncio.run(later(599, again=False))
    for seconds, again in ((602, False), (599, True), (0, True)):
        with pytest.raises(Unknown, match="more than ten minutes ago"):
            asyncio.run(later(seconds, again=again))


def test_a_state_that_is_written_otherwise_or_made_elsewhere_opens_nothing(settings: OpenID) -> None:
    async def tried() -> None:
        ours, another = at_once(settings, AtOnce()), at_once(settings, AtOnce())
        state, browser = await ours.begin("", "/")
        foreign, _ = await another.begin(browser, "/")
        await ours.end(browser, {"state": state, "code": "x"})
        for one in (state, "!" + state, state + "\n", foreign, "\ud800", "ä", ""):
            with pytest.raises(Unknown, match="was not begun in this browser"):
                await ours.end(browser, {"state": one, "code": "x"})

    asyncio.run(tried())


def test_an_address_that_is_too_long_to_be_sent_along_is_forgotten(settings: OpenID) -> None:
    async def wanted(path: str) -> tuple[str, int]:
        ours = at_once(settings, AtOnce())
        state, browser = await ours.begin("", path)
        return (await ours.end(browser, {"state": state, "code": "x"}))[1], len(state)

    for path, kept in (("/" + "x" * 999, True), ("/" + "x" * 1_000, False), ("/" + "ä" * 500, False)):
        led, length = asyncio.run(wanted(path))
        assert (path if kept else "/", True) == (led, length < 2_000)


async def attempts(ours: OpenIDConnect, provider: Provider) -> dict[str, str]:
    """What is said to those who come back otherwise than they went."""
    address, browser = await ours.begin("", "/")
    good = provider.lets_in(address)
    tried = {
        "no state": (browser, {"code": good["code"]}),
        "another state": (browser, {**good, "state": "x" * 43}),
        "another browser": ("x" * 43, good),
        "no cookie": ("", good),
    }
    said = {}
    for name, (cookie, given) in tried.items():
        with pytest.raises(Unknown) as refused:
            await ours.end(cookie, given)
        said[name] = str(refused.value)
    assert "viewer" == (await ours.end(browser, good))[0].role.word, "what another tried has not used it up"
    with pytest.raises(Unknown) as refused:
        await ours.end(browser, good)
    return {**said, "again": str(refused.value)}


def test_a_sign_in_is_good_once_and_in_the_browser_that_began_it(provider: Provider, settings: OpenID) -> None:
    said = asyncio.run(attempts(signing_in(settings), provider))

    assert {"this sign-in was not begun in this browser, was ended already, or began more than ten minutes ago"} == set(said.values())
    assert 5 == len(said)


def test_two_tabs_of_a_browser_can_sign_in(provider: Provider, settings: OpenID) -> None:
    async def tabs() -> list[str]:
        ours = signing_in(settings)
        first, cookie = await ours.begin("", "/first")
        second, again = await ours.begin(cookie, "/second")
        assert cookie == again
        return [(await ours.end(cookie, provider.lets_in(one)))[1] for one in (first, second)]

    assert ["/first", "/second"] == asyncio.run(tabs())


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"error": "access_denied"}, r"did not sign you in \(access_denied\)"),
        ({"error": "<script>"}, r"did not sign you in \(it does not say why\)"),
        ({"code": ""}, "without a code"),
        ({"code": "made up"}, "gave nothing for the code"),
        ({"iss": "https://else.example"}, "another provider"),
    ],
)
def test_who_comes_back_with_something_else_is_told_why(provider: Provider, settings: OpenID, given: dict[str, str], said: str) -> None:
    with pytest.raises(Unknown, match=said):
        signed_in(settings, provider, **given)


def test_a_client_without_a_secret_proves_itself_by_the_challenge_alone(provider: Provider, settings: OpenID) -> None:
    with pytest.raises(Unknown, match="gave nothing for the code"):  # this provider wants one
        signed_in(replace(settings, client_secret_file=""), provider)

    assert "/token" == provider.asked[-1]


WRONG = {
    "client_id": ({"client_id": ""}, "issuer needs client_id as well"),
    "roles": ({"roles": {}}, "issuer needs roles as well"),
    "role": ({"roles": {"g": "boss"}}, "g has no role that exists"),
    "scopes": ({"scopes": ("profile",)}, 'scopes must name "openid"'),
    "no TLS": ({"issuer": "http://id.example.org"}, "issuer must be like https"),
    "a query": ({"issuer": "https://id.example.org/?x=1"}, "issuer must be like https"),
    "a user": ({"redirect_uri": "https://a:b@innerloop.example.org/sign-in/openid/callback"}, "redirect_uri must be like"),
    "a path": ({"redirect_uri": "https://innerloop.example.org/"}, "and /sign-in/openid/callback"),
    "no secret": ({"client_secret_file": "/nowhere"}, "cannot read /nowhere"),
    "certificate": ({"ca_file": "/nowhere"}, "ca_file: cannot use /nowhere"),
    "no issuer": ({"issuer": ""}, "issuer is empty"),
}


@pytest.mark.parametrize("wrong", WRONG, ids=str)
def test_settings_that_do_not_belong_together_are_refused(settings: OpenID, wrong: str) -> None:
    changed, said = WRONG[wrong]
    with pytest.raises(UsageError) as refused:
        openid(replace(settings, **changed))

    assert said in str(refused.value)


def test_without_settings_there_is_no_such_sign_in() -> None:
    assert openid(OpenID()) is None
