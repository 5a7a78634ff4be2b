"""Tokens of a provider: whatever is not signed by it, for us and for now, is refused."""

import asyncio
import hmac
import json
import string
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jws, jwt
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

from app.sign_in.jwt import NESTED_MAX, TOKEN_MAX_CHARS, BadTokenError, JwtReader, moment_of
from app.sign_in.keys import KeyCache, Named

ISSUER, AUDIENCE = "https://login.example", "windtunnel"
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
SECONDS = int(NOW.timestamp())
GOOD: dict[str, Any] = {
    "iss": ISSUER,
    "aud": AUDIENCE,
    "sub": "ada",
    "tenant": "acme",
    "iat": SECONDS,
    "exp": SECONDS + 60,
}


@cache
def rsa() -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": "rsa"})


def signed(claims: dict[str, Any], key: Key | None = None, **header: Any) -> str:
    header = {"alg": "RS256", "kid": "rsa", **header}
    return jwt.encode(header, claims, key or rsa(), algorithms=[header["alg"]])


def part(value: Any) -> str:
    return urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def raw(text: bytes) -> str:
    return urlsafe_b64encode(text).rstrip(b"=").decode()


def deep(levels: int, **values: Any) -> bytes:
    """An object with the values, and so many brackets within one another."""
    return json.dumps({**values, "x": 0}).encode().replace(b'"x": 0', b'"x": ' + b"[" * levels + b"]" * levels)


async def read(token: str, keys: Sequence[Key] = (), now: datetime = NOW) -> dict[str, Any]:
    named = [Named(key.kid, key) for key in keys or [rsa()]]

    async def fetch() -> list[Named[Key]]:
        return named

    reader = JwtReader(KeyCache(fetch), ISSUER, AUDIENCE)
    claims = await reader.signed(token)
    reader.check(claims, now)
    return claims


async def test_a_good_token_is_read() -> None:
    assert await read(signed(GOOD)) == GOOD
    assert await read(signed({**GOOD, "aud": ["other", AUDIENCE]}, typ="at+jwt")) == {
        **GOOD,
        "aud": ["other", AUDIENCE],
    }
    without_kid = jwt.encode({"alg": "RS256"}, GOOD, rsa())
    assert await read(without_kid, [RSAKey.generate_key(2048, {"kid": "another"}), rsa()]) == GOOD


@pytest.mark.parametrize("alg", ["RS512", "PS256", "ES256", "Ed25519", "EdDSA"])
async def test_public_keys_of_every_kind_count(alg: str) -> None:
    key: Key = rsa()
    if alg.startswith("E"):
        key = (
            ECKey.generate_key("P-256", {"kid": "e"})
            if alg == "ES256"
            else OKPKey.generate_key("Ed25519", {"kid": "e"})
        )
    body = f"{part({'alg': alg, 'kid': key.kid})}.{part(GOOD)}"
    signature = urlsafe_b64encode(JWSRegistry.algorithms[alg].sign(body.encode(), key)).rstrip(b"=").decode()
    assert await read(f"{body}.{signature}", [key]) == GOOD


def forged() -> dict[str, str]:
    """Tokens that nobody but an attacker makes."""
    public = rsa().as_pem(private=False)
    head, body, signature = signed(GOOD).split(".")
    other = part({**GOOD, "sub": "eve"})
    none = part({"alg": "none", "kid": "rsa"})
    symmetric = f"{part({'alg': 'HS256', 'kid': 'rsa'})}.{body}"
    mac = urlsafe_b64encode(hmac.digest(public, symmetric.encode(), "sha256")).rstrip(b"=").decode()
    return {
        "alg none": f"{none}.{body}.",
        "alg none with a signature": f"{none}.{body}.{signature}",
        "alg NONE": f"{part({'alg': 'nOnE', 'kid': 'rsa'})}.{body}.",
        "no alg": f"{part({'kid': 'rsa'})}.{body}.{signature}",
        "alg is no text": f"{part({'alg': ['RS256'], 'kid': 'rsa'})}.{body}.{signature}",
        "HS256 by the public key": f"{symmetric}.{mac}",
        "another's key": signed(GOOD, RSAKey.generate_key(2048, {"kid": "rsa"})),
        "another's key in the header": signed(
            GOOD, RSAKey.generate_key(2048), jwk=RSAKey.generate_key(2048).as_dict(private=False)
        ),
        "changed claims": f"{head}.{other}.{signature}",
        "cut signature": f"{head}.{body}.{signature[:-8]}",
        "no signature": f"{head}.{body}.",
        "unknown key": signed(GOOD, kid="unknown"),
        "kid is no text": f"{part({'alg': 'RS256', 'kid': 7})}.{body}.{signature}",
        "encrypted": "a.b.c.d.e",
        "rubbish": "rubbish",
        "not ASCII": "ä.ö.ü",
        "critical header": f"{part({'alg': 'RS256', 'kid': 'rsa', 'crit': ['exp'], 'exp': 1})}.{body}.{signature}",
        "of another type": signed(GOOD, typ="logout+jwt"),
        "payload is no object": signed_raw([1]),
        "nested header": f"{raw(deep(1_400, alg='RS256', kid='rsa'))}.{body}.{signature}",
        "nested header just below": f"{raw(deep(NESTED_MAX, alg='RS256', kid='rsa'))}.{body}.{signature}",
        "nested claims": jws.serialize_compact({"alg": "RS256", "kid": "rsa"}, deep(1_400, **GOOD), rsa()),
        "nested beyond a string": f"{raw(deep(1_400, alg='RS256', kid='rsa', a='}]'))}.{body}.{signature}",
        "number that is none": f"{raw(b'{' + b'1' * 5_000)}.{body}.{signature}",
        "long": signed({**GOOD, "x": "x" * 200_000}),
    }


def signed_raw(payload: Any) -> str:
    return jws.serialize_compact({"alg": "RS256", "kid": "rsa"}, json.dumps(payload), rsa())


@pytest.mark.parametrize("name", list(forged()))
async def test_what_the_issuer_has_not_signed_is_refused(name: str) -> None:
    with pytest.raises(BadTokenError) as refused:
        await read(forged()[name])
    assert "eyJ" not in str(refused.value)


@pytest.mark.parametrize(
    "change",
    [
        {"iss": "https://other.example"},
        {"iss": ISSUER + "/"},
        {"iss": [ISSUER]},
        {"iss": None},
        {"aud": "other"},
        {"aud": ["other"]},
        {"aud": AUDIENCE + "2"},
        {"aud": [AUDIENCE, 7]},
        {"aud": None},
        {"sub": None},
        {"sub": 7},
        {"exp": None},
        {"exp": SECONDS - 6},
        {"exp": str(SECONDS + 60)},
        {"exp": True},
        {"iat": None},
        {"iat": SECONDS + 60},
        {"nbf": SECONDS + 60},
        {"nbf": "now"},
        {"exp": float("inf")},
        {"exp": float("nan")},
        {"exp": 10**400},
        {"iat": float("nan")},
        {"iat": float("-inf")},
        {"iat": -(10**400)},
        {"cnf": {"jkt": "thumbprint"}},
    ],
    ids=str,
)
async def test_what_is_not_for_us_or_not_for_now_is_refused(change: dict[str, Any]) -> None:
    claims = {name: value for name, value in {**GOOD, **change}.items() if value is not None}
    with pytest.raises(BadTokenError):
        await read(signed(claims))


async def test_clocks_may_differ_a_little() -> None:
    assert await read(signed({**GOOD, "exp": SECONDS - 4}))
    assert await read(signed({**GOOD, "iat": SECONDS + 5, "nbf": SECONDS + 5}))
    assert await read(signed(GOOD), now=NOW + timedelta(seconds=64))
    with pytest.raises(BadTokenError):
        await read(signed(GOOD), now=NOW + timedelta(seconds=66))


def test_a_date_beyond_the_calendar_is_for_ever() -> None:
    assert moment_of(SECONDS) == NOW
    assert moment_of(10**30) == datetime.max.replace(tzinfo=UTC)


async def test_brackets_within_strings_nest_nothing() -> None:
    claims = {**GOOD, "groups": [{"name": '[{"\\' * 100}], "name": '"' * 50}
    assert await read(signed(claims)) == claims


async def test_a_token_is_as_long_as_people_have_them() -> None:
    assert await read(signed({**GOOD, "groups": "x" * 10_000}))
    with pytest.raises(BadTokenError, match="too long"):
        await read("x" * (TOKEN_MAX_CHARS + 1))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
HEADERS = st.fixed_dictionaries(
    {},
    optional={
        name: JSON | st.sampled_from(["RS256", "rsa", "JWT", "none", "HS256"])
        for name in ("alg", "kid", "typ", "crit", "b64", "jwk", "x5c", "zip", "enc")
    },
)
CLAIMS = st.fixed_dictionaries({}, optional=dict.fromkeys((*GOOD, "nbf", "cnf", "roles", "name"), JSON))
PARTS = st.binary(max_size=60).map(raw) | HEADERS.map(part) | st.text(string.printable + "\x00\xe4\ud800", max_size=20)


@settings(max_examples=200, deadline=None)
@given(parts=st.lists(PARTS, max_size=5), depth=st.integers(0, 3_000))
def test_whatever_is_sent_is_at_worst_a_bad_token(parts: list[str], depth: int) -> None:
    body = f"{raw(deep(depth, alg='RS256', kid='rsa'))}.{part(GOOD)}.AAAA"
    for token in (".".join(parts), ".".join([signed(GOOD).split(".")[0], *parts]), body):
        with pytest.raises(BadTokenError):
            asyncio.run(read(token))


@settings(max_examples=100, deadline=None)
@given(changes=CLAIMS)
def test_whatever_is_signed_is_read_or_a_bad_token(changes: dict[str, Any]) -> None:
    try:
        claims = asyncio.run(read(signed_raw({**GOOD, **changes})))
    except BadTokenError:
        return
    assert moment_of(claims["exp"]) > NOW - timedelta(seconds=6)
    assert int(claims["iat"]) <= SECONDS + 5
