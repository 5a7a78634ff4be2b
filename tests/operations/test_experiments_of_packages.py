"""Experiments tied to packages and to environments: what they prove, and how they end with their environment."""

import pytest

from tests.operations.care import tend_all
from tests.operations.environment_world import begun_in, opened_environment
from tests.operations.experiment_world import asked, claimed, conduct_all, now_stored, planned
from tests.operations.packages_world import mine, ready_for, uploaded
from tests.operations.test_evidence import shown
from tests.operations.test_simulating_in_environments import everything_at_home
from tests.operations.world import demo, process
from tests.storage.worlds import stranger
from windtunnel.domain.entities import Kind, Subject
from windtunnel.domain.errors import ConflictError, ErrorCode, NotFoundError, ValidationError
from windtunnel.domain.experiments import ExperimentStatus
from windtunnel.operations.conduct_experiment import conduct_experiment
from windtunnel.operations.delete_environment import delete_environment
from windtunnel.operations.pause_environment import pause_environment
from windtunnel.storage import experiments


async def test_one_of_the_packages_own_network_is_evidence(sqlite_url: str) -> None:
    async with process(sqlite_url) as one:
        viewer = await demo(one)
        digest = await uploaded(one, viewer, mine())
        own = await planned(one, viewer, package_digest=digest)
        with pytest.raises(ValidationError) as refused:
            await asked(one, viewer, await planned(one, viewer), package_digest=digest)
        assert refused.value.path == ("input", "package_digest")
        with pytest.raises(NotFoundError):
            await asked(one, viewer, own, package_digest="0" * 64)
        environment = await ready_for(one)
        made = await asked(one, viewer, own, package_digest=digest, environment_id=environment.id)
        waiting = await asked(one, viewer, own, package_digest=digest)
        other = await asked(one, viewer, own)
        for experiment in await claimed(one):
            if experiment.id != waiting.id:
                await conduct_experiment(one, experiment)
        subject = Subject(Kind.EXPERIMENT, made.id)
        (found,) = await shown(one, viewer, subject, subject)
        assert (found.kind, found.subject_id, found.environment_id) == ("Experiment", made.id, environment.id)
        assert found.summary.startswith("6 replications of 20 tasks with seed 5. Success ")
        assert repr(environment.name) in found.summary
        assert found.snapshot_digest == environment.snapshot_digest
        for bad in (waiting.id, other.id):
            with pytest.raises(ValidationError) as refused:
                await shown(one, viewer, Subject(Kind.EXPERIMENT, bad))
            assert refused.value.path == ("input", "evidence_ids", "0")


async def test_it_ends_with_its_environment_without_a_trace(database_url: str) -> None:
    async with process(database_url) as one:
        viewer = await demo(one)
        environment = await ready_for(one)
        there = (await begun_in(one, viewer, environment)).architecture_id or ""
        inside = await asked(one, viewer, there, variant={"nodes": {}})
        assert inside.environment_id == environment.id
        beside = await asked(one, viewer, environment_id=environment.id)
        at_home = await asked(one, viewer)
        await conduct_all(one)
        assert (await now_stored(one, inside)).status is ExperimentStatus.SUCCEEDED
        running = await asked(one, viewer, there)
        (taken,) = await claimed(one)
        await delete_environment(one, viewer, environment.id)
        await tend_all(one)
        for gone in (inside, beside, running):
            assert await experiments.get(one.store, viewer.tenant_id, gone.id) is None
        assert (await now_stored(one, at_home)).status is ExperimentStatus.SUCCEEDED
        await conduct_experiment(one, taken)  # nothing comes back
        assert await experiments.get(one.store, viewer.tenant_id, running.id) is None
        rows = await everything_at_home(one.store, viewer.tenant_id)
        left = {table for table, text in rows.items() if inside.id in text}
        assert left <= {"audit_entries", "notifications"}, left


async def test_an_environment_must_let_it_in(sqlite_url: str) -> None:
    async with process(sqlite_url) as one:
        viewer, theirs = await demo(one), await stranger(one.store)
        first, second = await opened_environment(one, viewer), await opened_environment(one, viewer)
        there = (await begun_in(one, viewer, first)).architecture_id or ""
        with pytest.raises(NotFoundError) as nothing:
            await asked(one, viewer, there, environment_id=second.id)
        assert nothing.value.path == ("input", "architecture_id")
        with pytest.raises(NotFoundError):
            await asked(one, theirs, there)
        with pytest.raises(NotFoundError) as nothing:
            await asked(one, theirs, environment_id=first.id)
        assert nothing.value.path == ("input", "environment_id")
        await pause_environment(one, viewer, first.id)
        with pytest.raises(ConflictError) as paused:
            await asked(one, viewer, there)
        assert paused.value.code is ErrorCode.ENVIRONMENT_PAUSED
        assert await experiments.open_of(one.store, viewer.tenant_id) == 0
