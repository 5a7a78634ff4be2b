"""Asking an OpenID provider for its keys: where its discovery document says that they are."""

from collections.abc import Sequence
from typing import Any

import httpx
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, Key

from app.sign_in.addresses import is_safe
from app.sign_in.keys import Named
from windtunnel.domain.errors import UnavailableError

TIMEOUT_S = 5.0
MAX_BYTES = 256 * 1024
RSA_MIN_BITS = 2048
BITS_PER_CHAR = 6
KINDS = frozenset({"RSA", "EC", "OKP"})


class Provider:
    """One issuer, by its URL as it stands in the `iss` of its tokens."""

    def __init__(self, issuer: str) -> None:
        self._issuer = issuer
        self._client = httpx.AsyncClient(timeout=TIMEOUT_S, follow_redirects=False)

    async def close(self) -> None:
        """Give the connections back."""
        await self._client.aclose()

    async def keys(self) -> Sequence[Named[Key]]:
        """The keys that it signs with now. Raises UnavailableError, in words for the log."""
        configuration = await self._read(f"{self._issuer.rstrip('/')}/.well-known/openid-configuration")
        if configuration.get("issuer") != self._issuer:
            raise UnavailableError(f"The provider at {self._issuer} calls itself {configuration.get('issuer')!r}.")
        address = configuration.get("jwks_uri")
        if not isinstance(address, str) or not is_safe(address):
            raise UnavailableError(f"The provider names no safe address of its keys, but {address!r}.")
        listed = (await self._read(address)).get("keys")
        return [named for entry in listed if (named := _usable(entry))] if isinstance(listed, list) else []

    async def _read(self, url: str) -> dict[str, Any]:
        try:
            async with self._client.stream("GET", url, headers={"Accept": "application/json"}) as response:
                if response.status_code != 200:
                    raise UnavailableError(f"{url} answers {response.status_code}.")
                body = b""
                async for part in response.aiter_bytes():
                    body += part
                    if len(body) > MAX_BYTES:
                        raise UnavailableError(f"{url} answers with more than {MAX_BYTES} bytes.")
            found = httpx.Response(200, content=body).json()
        except httpx.HTTPError as error:
            raise UnavailableError(f"{url} cannot be read: {error!r}.") from error
        except ValueError as error:
            raise UnavailableError(f"{url} does not answer with JSON.") from error
        if not isinstance(found, dict):
            raise UnavailableError(f"{url} does not answer with a JSON object.")
        return found


def _usable(entry: Any) -> Named[Key] | None:
    """A public key that can check signatures and is strong enough; None for any other entry."""
    if not isinstance(entry, dict) or entry.get("kty") not in KINDS or entry.get("use", "sig") != "sig":
        return None
    if entry["kty"] == "RSA" and len(str(entry.get("n"))) * BITS_PER_CHAR < RSA_MIN_BITS:
        return None
    try:
        key = JWKRegistry.import_key({name: value for name, value in entry.items() if name != "x5c"})
    except (JoseError, ValueError, TypeError, KeyError):
        return None
    kid = entry.get("kid")
    return Named(kid if isinstance(kid, str) else None, key)
