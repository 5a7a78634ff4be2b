"""The courier: takes one signed message to a URL, within five seconds and whatever waits there."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

from windtunnel.delivery.addresses import NOTHING_MORE, Address, Allowance
from windtunnel.delivery.destination import addresses_of
from windtunnel.delivery.errors import RefusedError
from windtunnel.delivery.lookup import Lookup, system_lookup
from windtunnel.delivery.urls import Target, read_url
from windtunnel.domain.policy import WEBHOOK_TIMEOUT_S
from windtunnel.domain.webhooks import Answer


@dataclass(frozen=True, slots=True)
class Courier:
    """`allowance` is the operator's. `authorities` are those whose certificates count.

    None: the system's, for these as for `lookup`.
    """

    allowance: Allowance = NOTHING_MORE
    lookup: Lookup | None = None
    authorities: ssl.SSLContext | None = None

    async def check(self, url: str, *, tenant_id: str = "") -> None:
        """Raise RefusedError unless the URL leads to where webhooks may be sent, as far as can be told today.

        `tenant_id` says on whose behalf its host is looked up. Raises BusyError.
        """
        async with _in_time():
            await self._pinned(read_url(url), tenant_id)

    async def post(self, url: str, headers: Mapping[str, str], body: bytes, *, tenant_id: str = "") -> Answer:
        """Post `body` with `headers`; what the receiver answered, or why there is no answer.

        The host is looked up and judged anew; then only the addresses judged are connected to. Redirects are not
        followed, proxies are not used, and of the answer nothing but its head is read. Takes WEBHOOK_TIMEOUT_S at
        most. Raises BusyError when it was not tried.
        """
        from windtunnel.delivery.sending import send  # an HTTP client, which most processes never need

        try:
            async with _in_time():
                target = read_url(url)
                return await send(target, await self._pinned(target, tenant_id), headers, body, self.authorities)
        except RefusedError as refused:
            return Answer(error=refused.reason)

    async def _pinned(self, target: Target, tenant_id: str) -> tuple[Address, ...]:
        lookup = self.lookup or partial(system_lookup, tenant_id=tenant_id)
        return await addresses_of(target, self.allowance, lookup)


@asynccontextmanager
async def _in_time() -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(WEBHOOK_TIMEOUT_S):
            yield
    except TimeoutError:
        raise RefusedError(f"There was no answer within {WEBHOOK_TIMEOUT_S:g} seconds.") from None
