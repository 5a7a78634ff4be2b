"""The place that is built in: each release is a supervised process on this machine, kept in by its sandbox.

Its state is in one directory: below it one per agent, with the packages unpacked by their digests, and the sandboxes.
What runs ends with the process that has started it; which release is in production is in the database, so that
whoever comes next can bring it up again.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from windtunnel.deploying.staged import StagedPackages
from windtunnel.deploying.target import (
    Described,
    FailureCode,
    Observed,
    OpenPackage,
    Release,
    ReleaseError,
    ReleaseState,
)
from windtunnel.domain.confinement import Limits
from windtunnel.domain.isolation import Isolation
from windtunnel.packages.contents import DamagedError
from windtunnel.packages.manifest import EntrypointKind, Manifest
from windtunnel.packages.unpacking import PackageRefusedError
from windtunnel.sandbox.box import Sandbox
from windtunnel.sandbox.calling import check_health
from windtunnel.sandbox.errors import SandboxError
from windtunnel.sandbox.hosting import Host, HostError, start_host

WARM_S = 600.0
"""How long what was in production is kept running."""
UNUSED_S = 600.0
"""How long what was started and never switched to is kept running."""
START_WITHIN_S = 10.0
HEALTH_WITHIN_S = 30.0
"""The most that a package can ask for."""
PING_WITHIN_S = 5.0
CHECKED_AT_ONCE = 16
MIB = 1024 * 1024

log = structlog.get_logger()


@dataclass(slots=True)
class _Hosted:
    host: Host
    state: ReleaseState = ReleaseState.STARTED
    fence: int = 0
    since: float = field(default_factory=time.monotonic)


class HostProcessTarget:
    """Processes on this machine, below `directory`, which is made when it is needed. `isolation` finds out what it has.

    Several processes may have the same directory; each has what it has started itself.
    """

    def __init__(self, directory: Path, isolation: Callable[[Path], Awaitable[Isolation]]) -> None:
        self._directory = directory.absolute()
        self._staged = StagedPackages(self._directory)
        self._isolation = isolation
        self._hosted: dict[Release, _Hosted] = {}
        self._turns: dict[Release, asyncio.Lock] = {}
        self._checking = asyncio.Semaphore(CHECKED_AT_ONCE)
        self._fences: dict[str, int] = {}

    async def stage(self, release: Release, open_package: OpenPackage) -> None:
        """See DeployTarget."""
        async with self._turn(release):
            file = await open_package()
            try:
                await asyncio.to_thread(self._staged.put, release, file)
            except (DamagedError, PackageRefusedError) as error:
                raise ReleaseError(FailureCode.DAMAGED, f"The package cannot be unpacked: {error}") from error

    async def start(self, release: Release) -> None:
        """See DeployTarget."""
        async with self._turn(release):
            hosted = self._hosted.get(release)
            if hosted is not None and hosted.host.alive:
                return
            manifest = await asyncio.to_thread(self._staged.manifest, release)
            with _as_release_error():
                sandbox = await self._sandbox(release, manifest)
                host = start_host(sandbox, self._staged.place(release), _loaded(manifest))
            state, fence = (hosted.state, hosted.fence) if hosted else (ReleaseState.STARTED, 0)
            self._hosted[release] = _Hosted(host, state, fence)

    async def health(self, release: Release) -> Described:
        """See DeployTarget."""
        hosted = self._hosted.get(release)
        if hosted is None:
            raise ReleaseError(FailureCode.UNHEALTHY, "It was ended.")
        manifest = await asyncio.to_thread(self._staged.manifest, release)
        with _as_release_error():
            told = await hosted.host.ask("describe", within_s=START_WITHIN_S)
            described = _described(told)
            async with self._checking:
                checked = await check_health(
                    await self._sandbox(release, manifest),
                    self._staged.place(release),
                    manifest.health.command,
                    timeout_s=min(manifest.health.timeout_s, HEALTH_WITHIN_S),
                )
        if described.manifest_digest != await asyncio.to_thread(self._staged.manifest_digest, release):
            raise ReleaseError(FailureCode.UNHEALTHY, "It says that it is something else than its manifest.")
        if not checked.healthy:
            raise ReleaseError(FailureCode.UNHEALTHY, f"Its health command fails. {checked.message}")
        return described

    async def switch(self, release: Release, fence: int) -> None:
        """See DeployTarget."""
        if fence < self._fences.get(release.agent_id, 0):
            return
        self._fences[release.agent_id] = fence
        now = time.monotonic()
        for other, hosted in self._hosted.items():
            if other.agent_id != release.agent_id:
                continue
            if other == release:
                hosted.state, hosted.fence, hosted.since = ReleaseState.LIVE, fence, now
            elif hosted.state is ReleaseState.LIVE:
                hosted.state, hosted.since = ReleaseState.WARM, now

    async def drain(self, release: Release) -> None:
        """See DeployTarget."""
        hosted = self._hosted.get(release)
        if hosted is None or hosted.state is ReleaseState.LIVE:
            return
        async with self._turn(release):
            await hosted.host.stop()
            if self._hosted.get(release) is hosted:
                del self._hosted[release]

    async def remove(self, release: Release) -> None:
        """See DeployTarget."""
        hosted = self._hosted.get(release)
        if hosted is not None and hosted.state is ReleaseState.LIVE:
            return
        await self.drain(release)
        async with self._turn(release):
            sandbox = Sandbox(self._root(release), (), Limits(), await self._isolation(self._directory))
            with suppress(FileNotFoundError):
                await sandbox.remove()
            await asyncio.to_thread(self._staged.discard, release)
        self._turns.pop(release, None)

    async def observe(self) -> list[Observed]:
        """See DeployTarget. What does not answer is ended: it does not run."""
        answers = await asyncio.gather(*(self._answers(*each) for each in tuple(self._hosted.items())))
        return [found for found in answers if found is not None]

    async def staged(self) -> list[tuple[str, str]]:
        """See DeployTarget."""
        return await asyncio.to_thread(self._staged.all)

    async def mend(self) -> None:
        """See DeployTarget."""
        now = time.monotonic()
        for release, hosted in tuple(self._hosted.items()):
            lasts = {ReleaseState.WARM: WARM_S, ReleaseState.STARTED: UNUSED_S}.get(hosted.state)
            if lasts is not None and now - hosted.since >= lasts:
                await self.drain(release)

    async def close(self) -> None:
        """See DeployTarget."""
        hosted = tuple(self._hosted.values())
        self._hosted.clear()
        await asyncio.gather(*(each.host.stop() for each in hosted))

    async def _answers(self, release: Release, hosted: _Hosted) -> Observed | None:
        if hosted.host.alive:
            try:
                await hosted.host.ask("health", within_s=PING_WITHIN_S)
            except HostError as error:
                if hosted.state is ReleaseState.STARTED:  # whoever starts it waits for it, and sees for itself
                    return None
                log.warning("agent does not answer", agent_id=release.agent_id, reason=str(error))
                await hosted.host.stop()
        return Observed(release, hosted.state, hosted.fence) if hosted.host.alive else None

    async def _sandbox(self, release: Release, manifest: Manifest) -> Sandbox:
        usual, asked = Limits(), manifest.limits
        memory = (asked.memory_mib or 0) * MIB if asked else 0
        sandbox = Sandbox(
            self._root(release),
            (self._staged.place(release),),
            Limits(memory_bytes=min(memory, usual.memory_bytes) or usual.memory_bytes),
            await self._isolation(self._directory),
        )
        await asyncio.to_thread(_prepare, sandbox)
        return sandbox

    def _root(self, release: Release) -> Path:
        return self._directory / release.agent_id / release.digest

    def _turn(self, release: Release) -> asyncio.Lock:
        return self._turns.setdefault(release, asyncio.Lock())


@contextmanager
def _as_release_error() -> Iterator[None]:
    """Turns what a sandbox or a host says into what a release does."""
    try:
        yield
    except HostError as error:
        raise ReleaseError(FailureCode.UNHEALTHY, str(error)) from error
    except SandboxError as error:
        if error.step == "isolation":
            raise ReleaseError(FailureCode.NOT_ISOLATED, f"It cannot run here: {error.reason}.") from error
        raise OSError(str(error)) from error


def _prepare(sandbox: Sandbox) -> None:
    sandbox.root.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    sandbox.prepare()


def _loaded(manifest: Manifest) -> str:
    """What the host loads: other kinds need what is not there."""
    return manifest.entrypoint.ref if manifest.entrypoint.kind is EntrypointKind.PYTHON_MODULE else ""


def _described(told: dict[str, object]) -> Described:
    return Described(str(told.get("name")), str(told.get("version")), str(told.get("manifest")))
