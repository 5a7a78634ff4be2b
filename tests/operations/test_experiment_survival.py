"""kill -9 in the middle of an experiment, on both databases: another goes on, and finds what it would have found."""

import asyncio
import os
import signal
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from tests.operations.experiment_world import Noting, asked, claimed, conduct_all, now_stored, planned
from tests.operations.world import demo, process
from tests.waiting import until
from windtunnel.domain.experiments import ExperimentStatus, findings_to_json
from windtunnel.domain.policy import LEASE_MS
from windtunnel.operations.conduct_experiment import conduct_experiment
from windtunnel.storage import audit, experiment_changes

ROOT = Path(__file__).parents[2]


async def test_another_finishes_what_a_killed_one_has_begun(database_url: str) -> None:
    async with process(database_url, owner="rescuer") as services:
        viewer = await demo(services)
        architecture_id = await planned(services, viewer)
        undisturbed = await asked(services, viewer, architecture_id)
        await conduct_all(services)
        disturbed = await asked(services, viewer, architecture_id)
        hands = await _killed(database_url)
        assert hands
        stored = await experiment_changes.parts_done(services.store, disturbed)
        assert stored
        services.store.clock_offset = timedelta(milliseconds=LEASE_MS + 1)
        (rescued,) = await claimed(services)
        noting = Noting(services.crew)
        await conduct_experiment(replace(services, crew=noting), rescued)
        assert stored.isdisjoint(noting.parts)
        expected, found = await now_stored(services, undisturbed), await now_stored(services, disturbed)
        assert found.status is ExperimentStatus.SUCCEEDED
        assert expected.findings is not None
        assert found.findings is not None
        assert findings_to_json(found.findings) == findings_to_json(expected.findings)
        entries = await audit.read(services.store, viewer.tenant_id, 0, 1_000)
        actions = [each.action for each in entries if each.subject_id == disturbed.id]
        assert actions == ["EXPERIMENT_RUN", "EXPERIMENT_FINISHED"]
        # They end with the one that they worked for.
        await until(lambda: not any(_lives(number) for number in hands))


async def _killed(url: str) -> list[int]:
    """A process that conducts it and is killed in the middle; the numbers of those that worked for it."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.operations.dying_experimenter", url, cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert child.stdout is not None
        return [int(word) for word in (await child.stdout.readline()).split()]
    finally:
        child.send_signal(signal.SIGKILL)
        await child.wait()


def _lives(number: int) -> bool:
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    return "\nState:\tZ" not in Path(f"/proc/{number}/status").read_text()
