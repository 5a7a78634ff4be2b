"""A collector: where telemetry goes, and what is to be said at its door."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from windtunnel.domain.errors import ValidationError

_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_VALUE = re.compile(r"[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?")


@dataclass(frozen=True, slots=True)
class Collector:
    """Where telemetry goes: the base address, to which the signals' paths are added, and headers to send along."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def place(self) -> str:
        """The address as it may be shown: without user and password."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def collector_of(url: str, headers: str | None = None) -> Collector:
    """The collector at an http(s) address; `headers` is a list like `name=value,other=value`.

    Raises ValidationError.
    """
    try:
        parts = urlsplit(url)
        known = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        known = False
    if not known or parts.query or parts.fragment:
        raise ValidationError(
            f"{_shown(url)!r} is no address of a collector; allowed: http://HOST:PORT or https://HOST, "
            "with a path if need be.",
            rule="url",
        )
    return Collector(url.rstrip("/"), headers_of(headers or ""))


def _shown(url: str) -> str:
    """An address that is none, without what may be a secret in it: a password, or a key among its parameters."""
    bare = re.split(r"[?#]", url, maxsplit=1)[0]
    scheme, separator, rest = bare.rpartition("://")
    return f"{scheme}{separator}{rest.rpartition('@')[2]}"


def headers_of(given: str) -> dict[str, str]:
    """The headers in a list like `name=value,other=value`, where %20 stands for a space and %2C for a comma.

    Raises ValidationError, with nothing of a value in it.
    """
    found = {}
    for pair in filter(None, (each.strip() for each in given.split(","))):
        name, separator, value = pair.partition("=")
        if not (separator and _NAME.fullmatch(name.strip()) and _VALUE.fullmatch(unquote(value.strip()))):
            raise ValidationError("The headers for a collector are a list like name=value,other=value.", rule="headers")
        found[name.strip().lower()] = unquote(value.strip())
    return found
