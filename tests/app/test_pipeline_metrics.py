"""What operators see of environments and deployments: how many, what steps took, and what waits for how long."""

from datetime import timedelta

from app.metrics import Metrics
from tests.operations.care import ready
from tests.operations.pipeline_world import approved, became, in_review, submitted
from tests.operations.world import demo, process
from windtunnel.domain.deployments import DeploymentEventDraft
from windtunnel.domain.deployments import DeploymentStatus as S
from windtunnel.operations.services import Services
from windtunnel.storage import deployment_events
from windtunnel.storage.pipeline_tallies import Ended, tally_pipeline
from windtunnel.storage.store import DatabaseRole, open_store

SECOND = timedelta(seconds=1)


async def shown(services: Services) -> list[str]:
    metrics = Metrics()
    metrics.count_pipeline(await tally_pipeline(services.store))
    return metrics.text().decode().splitlines()


def test_where_there_is_nothing_everything_is_zero() -> None:
    lines = Metrics().text().decode().splitlines()
    for line in (
        'windtunnel_environments{status="ready"} 0.0',
        'windtunnel_deployments{status="in_review"} 0.0',
        'windtunnel_agent_versions{status="live"} 0.0',
        'windtunnel_validation_seconds_bucket{ended="in_review",le="2.0"} 0.0',
        'windtunnel_deploy_seconds_count{ended="failed"} 0.0',
        'windtunnel_provision_seconds_count{ended="ready"} 0.0',
        'windtunnel_queue_age_seconds{queue="review"} 0.0',
    ):
        assert line in lines


async def test_things_are_counted_by_status_and_the_oldest_ones_by_age(database_url: str) -> None:
    async with process(database_url) as services:
        viewer = await demo(services)
        await submitted(services, viewer)
        services.store.clock_offset += 90 * SECOND
        await in_review(services, viewer)
        await approved(services, viewer)
        await ready(services)
        services.store.clock_offset += 30 * SECOND
        lines = await shown(services)
        for line in (
            'windtunnel_deployments{status="submitted"} 1.0',
            'windtunnel_deployments{status="in_review"} 1.0',
            'windtunnel_deployments{status="approved"} 1.0',
            'windtunnel_deployments{status="live"} 0.0',
            'windtunnel_agent_versions{status="candidate"} 2.0',
            'windtunnel_environments{status="ready"} 1.0',
            'windtunnel_provision_seconds_count{ended="ready"} 1.0',
            'windtunnel_queue_age_seconds{queue="environment"} 0.0',
        ):
            assert line in lines
        waits = (await tally_pipeline(services.store)).waits
        assert waits["validation"] >= 120
        assert 30 <= waits["review"] < 120
        assert 30 <= waits["deployment"] < 120
        services.store.clock_offset += timedelta(days=1)
        waits = (await tally_pipeline(services.store)).waits
        assert (waits["review"], waits["deployment"]) == (0.0, 0.0), "their time is over"


async def test_steps_are_told_by_how_long_they_took(database_url: str) -> None:
    async with process(database_url) as services:
        viewer = await demo(services)
        made = await submitted(services, viewer)
        steps = [
            ("review", S.IN_REVIEW, 1.5),
            ("vote", S.IN_REVIEW, 600.0),
            ("deploying", S.DEPLOYING, 5.0),
            ("starting", S.DEPLOYING, 1.0),
            ("failed", S.DEPLOY_FAILED, 7.0),
            ("retry", S.DEPLOYING, 3_600.0),
            ("live", S.LIVE, 400.0),
            ("restored", S.LIVE, 60.0),
        ]
        for step, status, seconds in steps:
            services.store.clock_offset += seconds * SECOND
            await _told(services, made.tenant_id, made.id, step, status)
        other = await submitted(services, viewer)
        await became(services, other, S.VALIDATING)
        services.store.clock_offset += 0.3 * SECOND
        await _told(services, other.tenant_id, other.id, "invalid", S.INVALID)

        tally = await tally_pipeline(services.store)
        assert {(one.ended, one.up_to_s): one.times for one in tally.steps if one.ended is not Ended.INVALID} == {
            (Ended.IN_REVIEW, 2.0): 1,
            (Ended.FAILED, 10.0): 1,
            (Ended.LIVE, None): 1,
        }
        lines = await shown(services)
        for line in (
            'windtunnel_validation_seconds_bucket{ended="in_review",le="1.0"} 0.0',
            'windtunnel_validation_seconds_bucket{ended="in_review",le="2.0"} 1.0',
            'windtunnel_validation_seconds_count{ended="invalid"} 1.0',
            'windtunnel_deploy_seconds_bucket{ended="failed",le="10.0"} 1.0',
            'windtunnel_deploy_seconds_bucket{ended="live",le="300.0"} 0.0',
            'windtunnel_deploy_seconds_bucket{ended="live",le="+Inf"} 1.0',
        ):
            assert line in lines


async def test_api_and_worker_may_count(postgres_database_url: str) -> None:
    async with process(postgres_database_url) as services:
        await submitted(services, await demo(services))
        for role in (DatabaseRole.API, DatabaseRole.WORKER):
            store = await open_store(postgres_database_url, role=role)
            try:
                assert (await tally_pipeline(store)).statuses["deployment", "SUBMITTED"] == 1
            finally:
                await store.close()


async def _told(services: Services, tenant_id: str, deployment_id: str, step: str, status: S) -> None:
    """An event of this step, whatever the deployment is."""
    async with services.store.transaction(tenant_id):
        rows = await services.store.of(tenant_id).fetch(
            "UPDATE deployments SET last_seq = last_seq + 1 WHERE tenant_id = $1 AND id = $2"
            " RETURNING id, tenant_id, last_seq, {now} AS at_ms",
            tenant_id,
            deployment_id,
        )
        await deployment_events.insert_event(services.store, rows[0], DeploymentEventDraft(status, step, "It is so."))
