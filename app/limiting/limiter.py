"""Who pays for what: a viewer's tenant for what it asks, an address for what comes from it unnamed."""

import hashlib
import ipaddress
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from starlette.requests import HTTPConnection

from app.limiting.buckets import Meter
from app.limiting.connections import Connections
from schema.scalars import write_datetime
from windtunnel.domain.allowances import Bill, full_in_ms, points_in, wait_for
from windtunnel.domain.errors import RateLimitedError, WindtunnelError
from windtunnel.domain.policy import REFUSED_SIGN_IN_POINTS
from windtunnel.domain.viewers import Viewer
from windtunnel.storage.lru import LRU

T = TypeVar("T")
SIGNED_IN_KEPT = 10_000


def utc_now() -> datetime:
    """The time of day, in UTC."""
    return datetime.now(UTC)


def address_of(connection: HTTPConnection) -> str:
    """Where a request or socket comes from; of IPv6 the network, because one machine has billions of addresses."""
    host = connection.client.host if connection.client else ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host or "unknown"
    if isinstance(address, ipaddress.IPv6Address):
        mapped = address.ipv4_mapped
        return str(mapped) if mapped else str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)


@dataclass(slots=True, kw_only=True)
class Account(Bill):
    """The bill of one request, and who pays it."""

    limiter: "Limiter"
    payer: str

    async def pay(self, points: int) -> None:
        """Add to the bill, and draw it at once. Raises RateLimitedError when the payer has too little left."""
        self.points += points
        await self.limiter.charge(self, points)

    def shown(self) -> dict[str, object]:
        """The bill as `extensions.cost`."""
        shown: dict[str, object] = {"requested": self.points}
        if self.limit is not None and self.reset_at is not None:
            shown |= {"limit": self.limit, "remaining": self.remaining, "resetAt": write_datetime(self.reset_at)}
        return shown


class Limiter:
    """Opens the account of each request, and lets people in by their tokens. Without a `meter` all is free."""

    def __init__(
        self,
        meter: Meter | None = None,
        *,
        now: Callable[[], datetime] = utc_now,
        connections: Connections | None = None,
    ) -> None:
        self.connections = connections or Connections()
        self._meter = meter
        self._now = now
        self._signed_in: LRU[bytes, bool] = LRU(SIGNED_IN_KEPT)

    def account(self, viewer: Viewer | None, address: str) -> Account:
        """A bill with nothing on it: for the viewer's tenant, or without a viewer for the address."""
        return Account(limiter=self, payer=f"tenant:{viewer.tenant_id}" if viewer else _stranger(address))

    async def charge(self, account: Account, points: int) -> None:
        """Draw points for an account, and write on it what is left. Raises RateLimitedError."""
        if self._meter is None:
            return
        limit = account.limit = self._meter.limit
        drawn = await self._meter.draw(account.payer, points)
        account.remaining = points_in(drawn.bucket)
        account.reset_at = self._now() + timedelta(milliseconds=full_in_ms(drawn.bucket, limit))
        if not drawn.paid:
            # Whoever tries again pays anew for what was paid already.
            raise _refusal(account.points, limit, wait_for(drawn.bucket, limit, account.points))

    async def letting_in(self, authorization: object, address: str, sign_in: Callable[[], Awaitable[T]]) -> T:
        """What `sign_in` answers to an `Authorization` value; its SignInError, and a defect, cost the address points.

        An address that has none left waits (RateLimitedError) before a token of it is looked at, unless that very
        token was good before: guessing is slow, and those behind one address with a guesser can work on.
        """
        if self._meter is None or authorization is None:
            return await sign_in()
        payer, price = _stranger(address), min(REFUSED_SIGN_IN_POINTS, self._meter.limit)
        digest = hashlib.sha256(str(authorization).encode(errors="replace")).digest()
        if not self._signed_in.get(digest) and (wait_ms := self._meter.wait_ms(payer, price)):
            raise _refusal(price, self._meter.limit, wait_ms)
        try:
            found = await sign_in()
        except WindtunnelError:  # it could not be looked at
            raise
        except Exception:
            if self._signed_in.get(digest):  # no guess pushes out what was good
                self._signed_in.put(digest, False)
            await self._meter.draw(payer, price)
            raise
        self._signed_in.put(digest, True)
        return found


def _stranger(address: str) -> str:
    return f"address:{address}"


def _refusal(points: int, limit: int, wait_ms: int) -> RateLimitedError:
    seconds = -(-wait_ms // 1000)
    if points > limit:
        message = f"This costs {points:,} points and {limit:,} may be spent in a minute; ask for less at a time."
    else:
        message = f"This costs {points:,} points, of {limit:,} a minute; try again in {seconds} s."
    return RateLimitedError(message, retry_after_s=seconds)
