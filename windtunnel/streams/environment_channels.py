"""Where the events of environments are announced: a bus of its own for each, on which nobody else's channels are."""

from collections.abc import Sequence
from typing import Protocol

from windtunnel.domain.environments import EnvironmentKey
from windtunnel.streams.bus import Bus


class EnvironmentChannels(Protocol):
    """Makes, opens and removes them; all of it can be repeated after a half-done try."""

    def locator(self, namespace: str) -> str:
        """Where they are, in words for people."""
        ...

    async def create(self, key: EnvironmentKey) -> None:
        """Make what the server needs for them, unless it is there. Raises UnavailableError."""
        ...

    async def open(self, key: EnvironmentKey) -> Bus:
        """A bus on these channels alone; the caller closes it. Raises UnavailableError."""
        ...

    async def remove(self, namespace: str) -> None:
        """End who uses them and remove what the server has of them. Raises UnavailableError."""
        ...

    async def exists(self, namespace: str) -> bool:
        """Whether the server has anything of them. Raises UnavailableError."""
        ...

    async def all(self) -> Sequence[str]:
        """The namespaces of all that the server has something of."""
        ...


class SharedChannels:
    """Channels by name alone, on the bus of this process: there is no server that could keep them apart."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    def locator(self, namespace: str) -> str:
        """As `EnvironmentChannels.locator`."""
        return f"env:{namespace}:*"

    async def create(self, key: EnvironmentKey) -> None:
        """Nothing has to be made."""

    async def open(self, key: EnvironmentKey) -> Bus:
        """As `EnvironmentChannels.open`."""
        return self._bus.within(key.namespace)

    async def remove(self, namespace: str) -> None:
        """Nothing was made."""

    async def exists(self, namespace: str) -> bool:
        """Names alone leave nothing behind."""
        return False

    async def all(self) -> Sequence[str]:
        """As `EnvironmentChannels.all`."""
        return ()
