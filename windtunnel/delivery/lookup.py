"""Asking the system for the addresses of a host, without ever being held up by it."""

import asyncio
import socket
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any

from windtunnel.delivery.errors import BusyError, RefusedError

Lookup = Callable[[str, int], Awaitable[Sequence[str]]]
"""The addresses of a host, for a port. Raises RefusedError when there are none."""

LOOKUPS_AT_ONCE = 64
LOOKUPS_AT_ONCE_PER_TENANT = 8
"""What one tenant can keep hanging with names whose servers never answer."""


class _Turns:
    """Who has how many look-ups under way in this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._taken: Counter[str] = Counter()

    def take(self, tenant_id: str) -> None:
        """Raises BusyError."""
        with self._lock:
            if self._taken[tenant_id] >= LOOKUPS_AT_ONCE_PER_TENANT or self._taken.total() >= LOOKUPS_AT_ONCE:
                raise BusyError
            self._taken[tenant_id] += 1

    def give_back(self, tenant_id: str) -> None:
        with self._lock:
            self._taken[tenant_id] -= 1
            if not self._taken[tenant_id]:
                del self._taken[tenant_id]


_turns = _Turns()


async def system_lookup(
    host: str, port: int, ask: Callable[..., Any] = socket.getaddrinfo, *, tenant_id: str = ""
) -> list[str]:
    """As the system finds them for a tenant: hosts file, DNS, whatever it is set up for; `ask` is the system's call.

    It cannot be cancelled. Each runs in a thread of its own that dies with the process, so that slow name servers hold
    up neither other work in threads nor our end; there are at most LOOKUPS_AT_ONCE of them, and of a tenant's
    LOOKUPS_AT_ONCE_PER_TENANT. Raises RefusedError, and BusyError beyond that.
    """
    _turns.take(tenant_id)
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[list[str]] = loop.create_future()

    def settle(found: list[str] | None) -> None:
        if answer.cancelled():
            return
        if found:
            answer.set_result(found)
        else:
            answer.set_exception(RefusedError("The URL's host was not found."))

    def run() -> None:
        found: list[str] | None = None
        try:
            known = ask(host, port, type=socket.SOCK_STREAM)
            found = list(dict.fromkeys(str(entry[4][0]) for entry in known))
        except (OSError, UnicodeError):
            found = None
        finally:
            _turns.give_back(tenant_id)
        with suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(settle, found)

    threading.Thread(target=run, name="lookup", daemon=True).start()
    return await answer
