"""Processes on this machine as a place to deploy to: what every place does, and what only they do."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

import windtunnel.deploying.host_process
from tests.deploying.conformance import Conformance, Packages, made
from tests.packages.world import FILES, package
from tests.waiting import a_moment
from windtunnel.deploying.host_process import HostProcessTarget
from windtunnel.deploying.target import FailureCode, Release, ReleaseError, ReleaseState
from windtunnel.domain.ids import new_id
from windtunnel.domain.isolation import Isolation, IsolationLevel
from windtunnel.operations.code_host import CodeHost
from windtunnel.sandbox import sweeping


@pytest.fixture
def target(tmp_path: Path, runner: object) -> Iterator[HostProcessTarget]:
    target = HostProcessTarget(tmp_path / "production", CodeHost().isolation)
    yield target
    runner.run(target.close())  # type: ignore[attr-defined]
    assert running(tmp_path) == []


def running(tmp_path: Path) -> list[int]:
    """The pids of what lives of all releases, whoever started it."""
    roots = [path.parent for path in (tmp_path / "production").glob("*/*/runs")]
    return [pid for root in roots for pid in sweeping.remaining(root / "runs", root / "work")]


class TestHostProcess(Conformance):
    """The suite, and what is special about processes."""

    async def test_one_that_dies_is_not_there_and_is_started_again(
        self, target: HostProcessTarget, packages: Packages, tmp_path: Path
    ) -> None:
        release = self.release(packages, made())
        await self.up(target, packages, release, 3)
        for pid in running(tmp_path):
            os.kill(pid, signal.SIGKILL)
        while await target.observe():
            await a_moment()
        await target.start(release)
        await target.health(release)
        assert await self.states(target) == {release: ReleaseState.LIVE}

    async def test_one_that_stops_answering_is_ended(
        self, target: HostProcessTarget, packages: Packages, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setattr(windtunnel.deploying.host_process, "PING_WITHIN_S", 0.3)
        code = (
            "import os, threading\ndef freeze():\n  threading.Event().wait(1)\n  os.kill(os.getpid(), 19)\n"
            "threading.Thread(target=freeze).start()"
        )
        release = self.release(packages, made(code=code))
        await self.up(target, packages, release)
        while await target.observe():
            await a_moment()
        assert running(tmp_path) == []

    async def test_what_is_not_used_any_more_is_drained_in_time(
        self, target: HostProcessTarget, packages: Packages, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        old = self.release(packages, made("1.0.0"))
        new = self.release(packages, made("2.0.0"), old.agent_id)
        await self.up(target, packages, old, 1)
        await self.up(target, packages, new, 2)
        await target.mend()
        assert await self.states(target) == {old: ReleaseState.WARM, new: ReleaseState.LIVE}
        monkeypatch.setattr(windtunnel.deploying.host_process, "WARM_S", 0.0)
        await target.mend()
        assert await self.states(target) == {new: ReleaseState.LIVE}

    async def test_what_was_changed_on_disk_is_unpacked_anew(
        self, target: HostProcessTarget, packages: Packages, tmp_path: Path
    ) -> None:
        release = self.release(packages, made())
        await self.up(target, packages, release)
        file = tmp_path / "production" / release.agent_id / "packages" / release.digest / "triage" / "main.py"
        file.parent.chmod(0o700)
        file.chmod(0o600)
        file.write_text("def run(x): return 'changed'\n")
        await target.stage(release, lambda: packages.open(release.digest))
        assert "changed" not in file.read_text()

    async def test_what_needs_what_is_not_there_is_not_loaded(
        self, target: HostProcessTarget, packages: Packages
    ) -> None:
        files = FILES | {"triage/main.py": b"import no_such_module\ndef run(input): return input\n"}
        for kind, ref in (("openai-agents", "triage.main:run"), ("command", "python")):
            release = self.release(packages, package(files, entrypoint={"kind": kind, "ref": ref, "args": []}))
            await self.up(target, packages, release)
            assert (await self.states(target))[release] is ReleaseState.LIVE

    async def test_two_processes_share_a_directory(
        self, target: HostProcessTarget, packages: Packages, tmp_path: Path
    ) -> None:
        other = HostProcessTarget(tmp_path / "production", CodeHost().isolation)
        release = self.release(packages, made())
        await self.up(target, packages, release)
        assert await other.observe() == []
        await self.up(other, packages, release)
        await target.close()
        assert await self.states(other) == {release: ReleaseState.LIVE}
        await other.close()
        assert running(tmp_path) == []

    async def test_a_host_that_keeps_nothing_in_runs_nothing(self, packages: Packages, tmp_path: Path) -> None:
        async def nothing(_: Path) -> Isolation:
            return Isolation(IsolationLevel.LOGICAL)

        place = HostProcessTarget(tmp_path / "production", nothing)
        release = Release("tenant", new_id(), packages.add(made()))
        if os.geteuid() != 0:
            pytest.skip("an ordinary user's code is run without isolation, too")
        with pytest.raises(ReleaseError) as caught:
            await self.up(place, packages, release)
        assert caught.value.code is FailureCode.NOT_ISOLATED
