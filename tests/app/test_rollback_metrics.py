"""What operators see of rollbacks: a histogram of how long they took, and the objective."""

from datetime import timedelta

from prometheus_client import CollectorRegistry, generate_latest

from app.metrics import Metrics
from tests.operations.releases_world import agent_with, claimed, rolled
from tests.operations.world import demo, process
from windtunnel.domain.rollbacks import RollbackStatus
from windtunnel.operations.restoring import complete, fail
from windtunnel.storage.tallies import tally_rollbacks


def test_without_rollbacks_all_buckets_are_empty() -> None:
    text = Metrics().text().decode()
    assert 'windtunnel_rollback_seconds_bucket{le="60.0",status="succeeded"} 0.0' in text
    assert 'windtunnel_rollback_seconds_count{status="failed"} 0.0' in text
    assert "windtunnel_rollback_objective_seconds 60.0" in text
    assert isinstance(Metrics().registry, CollectorRegistry)


async def test_each_is_counted_once_by_how_long_it_took(database_url: str) -> None:
    async with process(database_url) as one:
        viewer = await demo(one)
        for seconds in (10, 46, 70):
            agent = await agent_with(one, viewer, "1.0.0", "2.0.0")
            rollback = await rolled(one, viewer, agent)
            held = await claimed(one)
            one.store.clock_offset += timedelta(seconds=seconds)
            if seconds < 60:
                await complete(one, held)
            else:
                assert await fail(one, rollback, "Too slow.")
        found = {(one.status, one.up_to_s): one.rollbacks for one in await tally_rollbacks(one.store)}
        assert found[RollbackStatus.SUCCEEDED, 60.0] == 1
        assert found[RollbackStatus.FAILED, None] == 1
        metrics = Metrics()
        metrics.count_rollbacks(await tally_rollbacks(one.store))
        text = generate_latest(metrics.registry).decode()
        assert 'windtunnel_rollback_seconds_count{status="succeeded"} 2.0' in text
        assert 'windtunnel_rollback_seconds_bucket{le="45.0",status="succeeded"} 1.0' in text
        assert 'windtunnel_rollback_seconds_bucket{le="60.0",status="succeeded"} 2.0' in text
        assert 'windtunnel_rollback_seconds_bucket{le="60.0",status="failed"} 0.0' in text
        assert 'windtunnel_rollback_seconds_bucket{le="+Inf",status="failed"} 1.0' in text
