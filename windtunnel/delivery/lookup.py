"""Asking the system for the addresses of a host, without ever being held up by it."""

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any

from windtunnel.delivery.errors import RefusedError

Lookup = Callable[[str, int], Awaitable[Sequence[str]]]
"""The addresses of a host, for a port. Raises RefusedError when there are none."""

LOOKUPS_AT_ONCE = 64
"""More than one tenant can keep hanging with names whose servers never answer."""

_threads = threading.BoundedSemaphore(LOOKUPS_AT_ONCE)


async def system_lookup(host: str, port: int, ask: Callable[..., Any] = socket.getaddrinfo) -> list[str]:
    """As the system finds them: hosts file, DNS, whatever it is set up for; `ask` is the system's call.

    It cannot be cancelled. Each runs in a thread of its own that dies with the process, so that
    slow name servers hold up neither other work in threads nor our end; there are at most LOOKUPS_AT_ONCE of them.
    """
    if not _threads.acquire(blocking=False):
        raise RefusedError("Too many hosts are being looked up.")
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
            _threads.release()
        with suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(settle, found)

    threading.Thread(target=run, name="lookup", daemon=True).start()
    return await answer
