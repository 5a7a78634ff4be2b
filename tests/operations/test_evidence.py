"""Evidence: what ran exactly this package to its end, wherever it lies, and nothing else."""

from dataclasses import replace

import pytest

from tests.operations.environment_world import begun_in, conduct_in
from tests.operations.packages_world import mine, ready_for, uploaded
from tests.operations.pipeline_world import registered, submitted
from tests.operations.world import conduct_all, demo, process, queued
from tests.storage.worlds import stranger
from windtunnel.domain.configuring import EntryRequest
from windtunnel.domain.entities import Kind, Subject
from windtunnel.domain.environments import Environment
from windtunnel.domain.errors import ErrorCode, ValidationError
from windtunnel.domain.evidence import is_stale
from windtunnel.domain.ids import new_id
from windtunnel.domain.reviews import Evidence
from windtunnel.domain.submissions import SubmitRequest
from windtunnel.domain.viewers import Viewer
from windtunnel.operations.configure_production import configure_production
from windtunnel.operations.refresh_environment import refresh_environment
from windtunnel.operations.services import Services
from windtunnel.operations.submit_deployment import submit_deployment
from windtunnel.storage import production, reviews


async def ran(services: Services, viewer: Viewer, digest: str, environment: Environment | None = None) -> Subject:
    """A simulation that ran the package to its end."""
    if environment is None:
        simulation = await queued(services, viewer, package_digest=digest)
        await conduct_all(services)
    else:
        simulation = await begun_in(services, viewer, environment, package_digest=digest)
        await conduct_in(services, environment)
    return Subject(Kind.SIMULATION, simulation.id)


async def shown(services: Services, viewer: Viewer, *evidence: Subject | None) -> list[Evidence]:
    """What reviewers are shown with a deployment of the usual package."""
    made = await submitted(services, viewer, evidence=evidence)
    return (await reviews.evidence(services.store, viewer.tenant_id, [made.id]))[made.id]


async def test_what_ran_it_at_home_is_shown_once(database_url: str) -> None:
    async with process(database_url) as one:
        viewer = await demo(one)
        subject = await ran(one, viewer, await uploaded(one, viewer, mine()))
        (found,) = await shown(one, viewer, subject, subject)
        assert (found.kind, found.subject_id, found.environment_id) == ("Simulation", subject.id, None)
        assert found.summary.startswith("Simulated to its end with seed 11, ")
        assert not is_stale(found, "0" * 64)


async def test_what_ran_it_in_an_environment_is_stale_once_production_is_another(database_url: str) -> None:
    async with process(database_url) as one:
        viewer = await demo(one)
        await configure_production(one, viewer, [EntryRequest("MODEL", "a")])
        environment = await ready_for(one)
        subject = await ran(one, viewer, await uploaded(one, viewer, mine()), environment)
        (found,) = await shown(one, viewer, subject)
        assert (found.environment_id, found.subject_id) == (environment.id, subject.id)
        assert repr(environment.name) in found.summary
        now = await production.snapshot(one.store, viewer.tenant_id)
        assert found.snapshot_digest == now.digest
        assert not is_stale(found, now.digest)
        changed = await configure_production(one, viewer, [EntryRequest("MODEL", "b")])
        assert is_stale(found, changed.digest)
        # What it ran under counts, also when the environment is up to date again.
        await refresh_environment(one, viewer, environment.id)
        await configure_production(one, viewer, [EntryRequest("MODEL", "c")])
        await refresh_environment(one, viewer, environment.id)
        (again,) = await shown(one, viewer, subject)
        assert again.snapshot_digest == found.snapshot_digest


async def test_anything_else_is_refused_and_nothing_is_told_of_it(database_url: str) -> None:
    async with process(database_url) as one:
        viewer, eve = await demo(one), await stranger(one.store)
        agent = await registered(one, viewer)
        digest, other = await uploaded(one, viewer, mine()), await uploaded(one, viewer, mine(version="2.0.0"))
        good = await ran(one, viewer, digest)
        of_another = await ran(one, viewer, other)
        without = await queued(one, viewer)
        foreign = Subject(Kind.SIMULATION, (await queued(one, eve)).id)
        await conduct_all(one)
        unfinished = await queued(one, viewer, package_digest=digest)
        refusals = set()
        for bad in (
            None,
            of_another,
            Subject(Kind.SIMULATION, without.id),
            Subject(Kind.SIMULATION, unfinished.id),
            foreign,
            Subject(Kind.SIMULATION, new_id()),
            Subject(Kind.SIMULATION, "0123456789abcdef-0123456789abcdef012"),
            Subject(Kind.SIMULATION, "x"),
            Subject(Kind.AGENT, agent.id),
            Subject(Kind.SCENARIO, good.id),
        ):
            with pytest.raises(ValidationError) as refused:
                await submit_deployment(one, viewer, SubmitRequest(agent.id, digest, evidence=[good, bad]))
            assert (refused.value.code, refused.value.path) == (
                ErrorCode.BAD_USER_INPUT,
                ("input", "evidence_ids", "1"),
            )
            refusals.add(str(refused.value))
        assert len(refusals) == 1
        assert not await one.store.of(viewer.tenant_id).fetch("SELECT id FROM deployments")


async def test_there_is_not_too_much_of_it(sqlite_url: str) -> None:
    async with process(sqlite_url) as one:
        viewer = await demo(one)
        request = SubmitRequest("x", "0" * 64, evidence=[Subject(Kind.SIMULATION, new_id())] * 21)
        with pytest.raises(ValidationError) as refused:
            await submit_deployment(one, viewer, request)
        assert refused.value.path == ("input", "evidence_ids")
        with pytest.raises(ValidationError) as refused:
            await submit_deployment(
                one,
                viewer,
                replace(
                    request,
                    agent_id=(await registered(one, viewer)).id,
                    evidence=request.evidence[:20],
                    package_digest=await uploaded(one, viewer, mine()),
                ),
            )
        assert refused.value.path == ("input", "evidence_ids", "0")
