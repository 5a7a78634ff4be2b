"""What a place is that agents are deployed to, whatever it is made of; all of its methods may be called again."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import BinaryIO, Protocol

OpenPackage = Callable[[], Awaitable[BinaryIO]]
"""Opens the bytes of a package, verified, as a seekable file that is closed by whoever asked for it."""


@dataclass(frozen=True, slots=True)
class Release:
    """The bytes of one package, as one agent of one tenant."""

    tenant_id: str
    agent_id: str
    digest: str


@dataclass(frozen=True, slots=True)
class Described:
    """What a release says that it is; `manifest_digest` is of the very bytes of its manifest."""

    name: str
    version: str
    manifest_digest: str


class ReleaseState(StrEnum):
    """What a release is for, where it runs.

    - STARTED: it runs, and was never switched to.
    - LIVE: it is what is in production.
    - WARM: it was, and is kept running for a while, so that coming back is quick.
    """

    STARTED = "STARTED"
    LIVE = "LIVE"
    WARM = "WARM"


@dataclass(frozen=True, slots=True)
class Observed:
    """A release that runs. `fence` is the one under which it was switched to, 0 if it was not."""

    release: Release
    state: ReleaseState
    fence: int = 0


class FailureCode(StrEnum):
    """Why a release does not come up.

    - DAMAGED: its bytes are not those that were approved, or no package.
    - UNHEALTHY: it does not start, does not answer, or its health command says no.
    - NOT_ISOLATED: this place cannot keep code in as well as it has to be.
    """

    DAMAGED = "DAMAGED"
    UNHEALTHY = "UNHEALTHY"
    NOT_ISOLATED = "NOT_ISOLATED"


class ReleaseError(Exception):
    """A release does not come up; the message is a sentence for whoever made it."""

    def __init__(self, code: FailureCode, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class DeployTarget(Protocol):
    """A place that agents are deployed to. Which release of an agent is in production is not decided here.

    The order is `stage`, `start`, `health`; then whoever calls decides, in the database; then `switch`. Any of it can
    be called again by anybody, also after somebody else has died in between. Methods raise OSError when the place
    itself cannot be used.
    """

    async def stage(self, release: Release, open_package: OpenPackage) -> None:
        """Have its bytes at hand, whole, as they were packed. Raises ReleaseError, and what `open_package` raises."""
        ...

    async def start(self, release: Release) -> None:
        """Have it running; one that runs stays as it is. It was staged. Raises ReleaseError."""
        ...

    async def health(self, release: Release) -> Described:
        """Wait until it is well, and ask what it is. It was started. Raises ReleaseError."""
        ...

    async def switch(self, release: Release, fence: int) -> None:
        """It is what is in production of its agent from now on; what was is kept warm. Older fences have no effect."""
        ...

    async def drain(self, release: Release) -> None:
        """Let it end, and wait for it; what is LIVE stays."""
        ...

    async def remove(self, release: Release) -> None:
        """Leave nothing of it, neither running nor staged; what is LIVE stays."""
        ...

    async def observe(self) -> list[Observed]:
        """What runs here, as far as this process knows."""
        ...

    async def staged(self) -> list[tuple[str, str]]:
        """What is at hand here, whoever has staged it: ids of agents with digests."""
        ...

    async def mend(self) -> None:
        """Drain what was kept warm or unused for long enough. Called now and then."""
        ...

    async def close(self) -> None:
        """End what this process has running: others, or this one when it begins again, bring it up anew."""
        ...
