"""URLs of webhooks: one strict grammar, so that nobody reads one differently than we do."""

import re
from dataclasses import dataclass
from ipaddress import ip_address

from windtunnel.delivery.addresses import Address, is_host_name
from windtunnel.delivery.errors import RefusedError
from windtunnel.domain.policy import WEBHOOK_URL_MAX_CHARS

_DEFAULT_PORTS = {"http": 80, "https": 443}
_URL = re.compile(
    r"(?P<scheme>https?)://(?P<host>\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:(?P<port>[0-9]{1,5}))?"
    r"(?P<path>/([a-z0-9._~!$&'()*+,;=:@/-]|%[0-9a-f]{2})*)?"
    r"(?P<query>\?([a-z0-9._~!$&'()*+,;=:@/?-]|%[0-9a-f]{2})*)?",
    re.IGNORECASE | re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Target:
    """What a URL says. `host` is in lower case and without brackets; `address` is set when it is no name."""

    scheme: str
    host: str
    port: int
    path: str
    address: Address | None

    @property
    def authority(self) -> str:
        """What the Host header says."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"


def read_url(url: str) -> Target:
    """What the URL says. Raises RefusedError for anything but a plain http(s) URL with an ordinary host."""
    if len(url) > WEBHOOK_URL_MAX_CHARS:
        raise RefusedError(f"The URL has more than {WEBHOOK_URL_MAX_CHARS:,} characters.")
    found = _URL.fullmatch(url)
    if found is None:
        raise RefusedError(_why_not(url))
    scheme, host = found["scheme"].lower(), found["host"].lower().strip("[]")
    port = int(found["port"]) if found["port"] else _DEFAULT_PORTS[scheme]
    if not 1 <= port <= 65_535:
        raise RefusedError("The URL has a port that does not exist.")
    path = (found["path"] or "/") + (found["query"] or "")
    return Target(scheme, host, port, path, _address_of(host))


def without_query(url: str) -> str:
    """The URL up to its query, which often holds a secret."""
    return url.partition("?")[0]


def _address_of(host: str) -> Address | None:
    try:
        address = ip_address(host)
    except ValueError:
        if is_host_name(host):
            return None
        raise RefusedError(
            "The URL's host is neither a name nor an address in its usual form, such as hooks.example.com, "
            "192.0.2.7 or [2001:db8::7]."
        ) from None
    return address


def _why_not(url: str) -> str:
    authority = url.partition("://")[2].partition("/")[0].partition("?")[0]
    if not re.match(r"https?://", url, re.IGNORECASE):
        return "The URL must begin with https://."
    if "@" in authority:
        return "The URL must not contain a user name or password."
    if "#" in url:
        return "The URL must not have a fragment (#)."
    if not url.isascii():
        return "The URL must be in ASCII: write a host in its xn-- form and percent-encode the rest."
    return "The URL is malformed."
