"""What every place to deploy to has to do, whatever it is made of: subclass `Conformance`, and provide `target`."""

import asyncio
from hashlib import sha256
from io import BytesIO
from typing import BinaryIO

import pytest

from tests.packages.world import FILES, package
from windtunnel.deploying.target import DeployTarget, FailureCode, Observed, Release, ReleaseError, ReleaseState
from windtunnel.domain.ids import new_id


class Packages:
    """Packages by their digests, as a store of blobs opens them."""

    def __init__(self) -> None:
        self._data: dict[str, bytes] = {}
        self.opened = 0

    def add(self, data: bytes) -> str:
        digest = sha256(data).hexdigest()
        self._data[digest] = data
        return digest

    async def open(self, digest: str) -> BinaryIO:
        self.opened += 1
        return BytesIO(self._data[digest])


def made(version: str = "1.0.0", code: str = "", health: str = "print('well')") -> bytes:
    """A package of that version, whose module has this code in front of its function."""
    files = FILES | {
        "triage/main.py": f"{code}\ndef run(input: dict) -> dict:\n    return input\n".encode(),
        "health.py": health.encode(),
    }
    return package(files, version=version)


class Conformance:
    """The suite. Tests deploy with `up`, as a worker does."""

    @pytest.fixture
    def packages(self) -> Packages:
        return Packages()

    def release(self, packages: Packages, data: bytes, agent_id: str | None = None) -> Release:
        return Release("tenant", agent_id or new_id(), packages.add(data))

    async def up(self, target: DeployTarget, packages: Packages, release: Release, fence: int = 1) -> None:
        await target.stage(release, lambda: packages.open(release.digest))
        await target.start(release)
        await target.health(release)
        await target.switch(release, fence)

    async def states(self, target: DeployTarget) -> dict[Release, ReleaseState]:
        return {found.release: found.state for found in await target.observe()}

    async def test_a_release_comes_up_and_says_what_it_is(self, target: DeployTarget, packages: Packages) -> None:
        release = self.release(packages, made("1.2.3"))
        await target.stage(release, lambda: packages.open(release.digest))
        assert await target.observe() == []
        await target.start(release)
        described = await target.health(release)
        assert (described.name, described.version) == ("acme/triage", "1.2.3")
        assert len(described.manifest_digest) == 64
        assert await target.observe() == [Observed(release, ReleaseState.STARTED)]
        await target.switch(release, 7)
        assert await target.observe() == [Observed(release, ReleaseState.LIVE, 7)]

    async def test_everything_may_be_done_again(self, target: DeployTarget, packages: Packages) -> None:
        release = self.release(packages, made())
        for _ in range(2):
            await target.stage(release, lambda: packages.open(release.digest))
        for _ in range(2):
            await target.start(release)
        for _ in range(2):
            await target.health(release)
        for _ in range(2):
            await target.switch(release, 1)
        assert await self.states(target) == {release: ReleaseState.LIVE}
        await self.up(target, packages, release, 2)
        assert await target.observe() == [Observed(release, ReleaseState.LIVE, 2)]

    async def test_it_is_done_by_many_at_once(self, target: DeployTarget, packages: Packages) -> None:
        release = self.release(packages, made())
        await asyncio.gather(*(self.up(target, packages, release) for _ in range(4)))
        assert await self.states(target) == {release: ReleaseState.LIVE}

    async def test_what_was_live_is_kept_warm_and_comes_back(self, target: DeployTarget, packages: Packages) -> None:
        old = self.release(packages, made("1.0.0"))
        new = self.release(packages, made("2.0.0"), old.agent_id)
        await self.up(target, packages, old, 1)
        await self.up(target, packages, new, 2)
        assert await self.states(target) == {old: ReleaseState.WARM, new: ReleaseState.LIVE}
        await self.up(target, packages, old, 3)
        assert await self.states(target) == {old: ReleaseState.LIVE, new: ReleaseState.WARM}

    async def test_an_older_fence_switches_nothing(self, target: DeployTarget, packages: Packages) -> None:
        old = self.release(packages, made("1.0.0"))
        new = self.release(packages, made("2.0.0"), old.agent_id)
        await self.up(target, packages, new, 5)
        await self.up(target, packages, old, 4)
        assert await self.states(target) == {old: ReleaseState.STARTED, new: ReleaseState.LIVE}

    async def test_agents_are_independent(self, target: DeployTarget, packages: Packages) -> None:
        first, second = (self.release(packages, made()) for _ in range(2))
        await self.up(target, packages, first, 9)
        await self.up(target, packages, second, 1)
        assert await self.states(target) == {first: ReleaseState.LIVE, second: ReleaseState.LIVE}

    async def test_draining_ends_what_is_not_live(self, target: DeployTarget, packages: Packages) -> None:
        old = self.release(packages, made("1.0.0"))
        new = self.release(packages, made("2.0.0"), old.agent_id)
        await self.up(target, packages, old, 1)
        await target.drain(old)
        assert await self.states(target) == {old: ReleaseState.LIVE}
        await self.up(target, packages, new, 2)
        for _ in range(2):
            await target.drain(old)
        assert await self.states(target) == {new: ReleaseState.LIVE}
        await self.up(target, packages, old, 3)
        assert await self.states(target) == {old: ReleaseState.LIVE, new: ReleaseState.WARM}

    async def test_removing_leaves_nothing_of_what_is_not_live(self, target: DeployTarget, packages: Packages) -> None:
        old = self.release(packages, made("1.0.0"))
        new = self.release(packages, made("2.0.0"), old.agent_id)
        await self.up(target, packages, old, 1)
        await target.remove(old)
        assert await self.states(target) == {old: ReleaseState.LIVE}
        await self.up(target, packages, new, 2)
        for _ in range(2):
            await target.remove(old)
        assert await self.states(target) == {new: ReleaseState.LIVE}
        with pytest.raises(ReleaseError):
            await target.start(old)
        await self.up(target, packages, old, 3)
        assert (await self.states(target))[old] is ReleaseState.LIVE

    @pytest.mark.parametrize(
        ("code", "health", "said"),
        [
            ("import no_such_module", "", "no_such_module"),
            ("raise SystemExit(1)", "", "SystemExit"),
            ("import os; os._exit(3)", "", "exit status 3"),
            (
                "import hashlib; hashlib.sha256 = lambda _: type('', (), {'hexdigest': lambda _: '0' * 64})()",
                "",
                "says that it is something else",
            ),
            ("", "raise SystemExit('out of order')", "out of order"),
            ("", "import signal; signal.pause()", "did not end within"),
        ],
    )
    async def test_what_is_not_well_says_why(
        self, target: DeployTarget, packages: Packages, code: str, health: str, said: str
    ) -> None:
        files = FILES | {"triage/main.py": (code + "\ndef run(x): return x").encode(), "health.py": health.encode()}
        healthy = {"kind": "command", "command": ["python", "health.py"], "timeoutS": 0.5}
        release = self.release(packages, package(files, health=healthy))
        with pytest.raises(ReleaseError) as caught:
            await self.up(target, packages, release)
        assert caught.value.code is FailureCode.UNHEALTHY
        assert said in caught.value.message
        assert ReleaseState.LIVE not in (await self.states(target)).values()
        await target.drain(release)
        assert await target.observe() == []

    async def test_bytes_that_are_no_package_are_refused(self, target: DeployTarget, packages: Packages) -> None:
        whole = made()
        for data in (b"no package", whole[: len(whole) // 2]):
            release = self.release(packages, data)
            with pytest.raises(ReleaseError) as caught:
                await self.up(target, packages, release)
            assert caught.value.code is FailureCode.DAMAGED

    async def test_what_cannot_be_opened_is_not_staged(self, target: DeployTarget, packages: Packages) -> None:
        release = self.release(packages, made())

        async def missing() -> BinaryIO:
            raise LookupError

        with pytest.raises(LookupError):
            await target.stage(release, missing)
        await self.up(target, packages, release)
        assert await self.states(target) == {release: ReleaseState.LIVE}

    async def test_what_is_closed_can_begin_again(self, target: DeployTarget, packages: Packages) -> None:
        release = self.release(packages, made())
        await self.up(target, packages, release, 3)
        await target.close()
        assert await target.observe() == []
        await self.up(target, packages, release, 3)
        assert await target.observe() == [Observed(release, ReleaseState.LIVE, 3)]
