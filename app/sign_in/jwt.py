"""Reading JSON Web Tokens: whose word is it, and what does it say?"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from math import isfinite
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from joserfc import jws, jwt
from joserfc.errors import JoseError, UnsupportedAlgorithmError
from joserfc.jwk import Key
from joserfc.jws import JWSRegistry
from joserfc.util import urlsafe_b64decode

from app.sign_in.keys import KeyCache

ALGORITHMS = frozenset(
    {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"}
)
"""Public keys only: with a shared secret, or none, whoever can check a token could make one."""
TYPES = frozenset({"jwt", "at+jwt", "application/jwt", "application/at+jwt"})
"""Other kinds of signed statements (logouts, events, proofs of possession) let nobody in."""
LEEWAY_S = 5
KEYS_TRIED = 8
"""Of a provider that does not name its keys."""
TOKEN_MAX_CHARS = 16 * 1024
NESTED_MAX = 32
"""Brackets within brackets, of a header or of claims: people and their groups need a few."""


class BadTokenError(Exception):
    """The token does not count; the message is for the log, and holds nothing of the token."""


class JwtReader:
    """Reads tokens that one issuer signs for one audience."""

    def __init__(self, keys: KeyCache[Key], issuer: str, audience: str) -> None:
        self._keys = keys
        self._demands: dict[str, jwt.ClaimsOption] = {
            "iss": {"essential": True, "value": issuer},
            "aud": {"essential": True, "value": audience},
            "sub": {"essential": True},
            "exp": {"essential": True},
            "iat": {"essential": True},
        }

    async def signed(self, token: str) -> dict[str, Any]:
        """What a token says that the issuer has signed, for whomever and whenever: `check` comes next.

        Raises BadTokenError, and UnavailableError when there are no keys to try.
        """
        header = _header(token)
        for key in (await self._keys.find(header.get("kid")))[:KEYS_TRIED]:
            try:
                with _reading():
                    return jwt.decode(token, key, registry=REGISTRY).claims
            except BadTokenError:
                continue
        raise BadTokenError("no key of the provider has signed it")

    def check(self, claims: dict[str, Any], now: datetime) -> None:
        """Raise BadTokenError unless it is said by the issuer, to us, and for `now` (or nearly: clocks differ)."""
        if "cnf" in claims:
            raise BadTokenError("it counts only together with a proof that its sender has a key")
        registry = jwt.JWTClaimsRegistry(now=int(now.timestamp()), leeway=LEEWAY_S, **self._demands)
        with _reading():
            try:
                registry.validate(claims)
            except JoseError as error:
                raise BadTokenError(str(error)) from error
            if not (isfinite(claims["exp"]) and isfinite(claims["iat"]) and claims["iat"] >= 0):
                raise BadTokenError("it has a date that is none")


def moment_of(numeric_date: float) -> datetime:
    """A NumericDate of a checked token; whoever dates it beyond the calendar means for ever."""
    try:
        return datetime.fromtimestamp(numeric_date, UTC)
    except (OverflowError, ValueError, OSError):
        return datetime.max.replace(tzinfo=UTC)


class _PublicKeysOnly(JWSRegistry):
    max_header_length = 4_096
    """Some providers put certificates there."""

    def get_alg(self, name: str) -> Any:
        """The algorithm of an allowed name."""
        if name not in ALGORITHMS:
            raise UnsupportedAlgorithmError
        return self.algorithms[name]


_BRACKETS = re.compile(rb'"(?:[^"\\]|\\.)*+"?|[\[\]{}]', re.DOTALL)
"""Strings as a whole, and the brackets outside of them."""

REGISTRY = _PublicKeysOnly(strict_check_header=False)


@contextmanager
def _reading() -> Iterator[None]:
    """Whatever goes wrong with bytes that anybody may have sent is the token's fault, and never a defect of ours."""
    try:
        yield
    except BadTokenError:
        raise
    except (JoseError, ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
        raise BadTokenError(f"it is no signed token ({type(error).__name__})") from error
    except UnsupportedAlgorithm as error:
        raise BadTokenError("its algorithm does not suit the key") from error


def _header(token: str) -> dict[str, Any]:
    """The header, when it could be that of a token for us."""
    if len(token) > TOKEN_MAX_CHARS:
        raise BadTokenError("it is too long")
    with _reading():
        for part in token.encode("ascii").split(b".")[:2]:
            if _nesting(urlsafe_b64decode(part)) > NESTED_MAX:
                raise BadTokenError("it is nested too deeply")
        header = jws.extract_compact(token.encode("ascii"), registry=REGISTRY).headers()
        REGISTRY.check_header(header)
        REGISTRY.get_alg(header["alg"])
    type_ = header.get("typ", "jwt")
    if not isinstance(type_, str) or type_.lower() not in TYPES:
        raise BadTokenError("it is a token of another type")
    if "b64" in header:
        raise BadTokenError("its payload is not encoded")
    return header


def _nesting(text: bytes) -> int:
    """How deep the JSON text goes, told without recursion; brackets within strings count for nothing."""
    depth = deepest = 0
    for bracket in _BRACKETS.findall(text):
        if bracket in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif bracket in b"]}":
            depth -= 1
    return deepest
