"""Where a URL leads today: looked up once, judged as a whole, and pinned."""

from ipaddress import ip_address

from windtunnel.delivery.addresses import Address, Allowance, is_public
from windtunnel.delivery.errors import RefusedError
from windtunnel.delivery.lookup import Lookup
from windtunnel.delivery.urls import Target

NOT_FOUND_OR_NOT_PUBLIC = "The URL's host was not found, or it has an address that is not public."
"""One sentence for both: names of the network that this server is in are nobody's business."""


async def addresses_of(target: Target, allowance: Allowance, lookup: Lookup) -> tuple[Address, ...]:
    """The addresses that the target may be reached at, all of them permitted. Raises RefusedError, BusyError.

    Who connects must use these and not look the name up again: it could lead elsewhere by then.
    """
    if target.scheme != "https" and not (allowance.hosts or allowance.networks):
        raise RefusedError("The URL must begin with https://.")
    found = (target.address,) if target.address else await _looked_up(target, lookup)
    if all(allowance.covers(target.host, address) for address in found):
        return found
    if not all(is_public(address) or allowance.covers(target.host, address) for address in found):
        raise RefusedError(NOT_FOUND_OR_NOT_PUBLIC)
    if target.scheme != "https":
        raise RefusedError("The URL must begin with https://.")
    if target.port != 443 and target.port < 1024:
        raise RefusedError("The URL's port must be 443, or 1024 and above.")
    return found


async def _looked_up(target: Target, lookup: Lookup) -> tuple[Address, ...]:
    try:
        found = tuple(ip_address(text) for text in await lookup(target.host, target.port))
    except (RefusedError, ValueError):
        found = ()
    if not found:
        raise RefusedError(NOT_FOUND_OR_NOT_PUBLIC)
    return found
