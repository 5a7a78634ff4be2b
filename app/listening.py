"""Opening a port: every address of a host, or one clause about why not."""

import asyncio
import errno
import socket


class ListeningError(Exception):
    """The port cannot be opened on this host; the message is a clause without a full stop."""


class HostError(ListeningError):
    """It is the host that is to blame."""


_REASONS = {
    errno.EADDRINUSE: "another program listens there",
    errno.EACCES: "only an administrator may open it",
}


async def listening(host: str, port: int, backlog: int) -> list[socket.socket]:
    """Listening sockets, one for each address of the host; port 0 takes a free one. Raises ListeningError."""
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (socket.gaierror, UnicodeError):
        raise HostError("there is no host of this name") from None
    opened: list[socket.socket] = []
    try:
        for family, address in dict.fromkeys((each[0], each[4]) for each in found):
            opened.append(socket.create_server(address, family=family, backlog=backlog))
            opened[-1].setblocking(False)
    except OSError as error:
        for each in opened:
            each.close()
        if error.errno == errno.EADDRNOTAVAIL:
            raise HostError("it is no address of this machine") from None
        raise ListeningError(_REASONS.get(error.errno or 0) or error.strerror or str(error)) from None
    return opened
