"""The life of an experiment: asked for, queued, conducted, told of, or cancelled."""

import asyncio

from tests.operations.experiment_world import asked, conduct_all, now_stored, told
from tests.operations.inboxes import inbox
from tests.operations.world import demo, process
from windtunnel.domain.entities import Kind, Subject
from windtunnel.domain.experiments import ExperimentStatus as S
from windtunnel.domain.notifications import NotificationKind
from windtunnel.storage import audit, experiment_changes


async def test_it_is_queued_conducted_and_told_of(database_url: str) -> None:
    async with process(database_url) as services:
        viewer = await demo(services)
        made = await asked(services, viewer, variant={"nodes": {}})
        assert (made.status, made.progress, made.last_seq, made.findings) == (S.QUEUED, 0.0, 1, None)
        following = asyncio.create_task(told(services, viewer, made))
        await conduct_all(services)
        events = await following
        ended = await now_stored(services, made)
        assert (ended.status, ended.progress, ended.failure, ended.lease_owner) == (S.SUCCEEDED, 1.0, None, None)
        assert [event.seq for event in events] == list(range(1, ended.last_seq + 1))
        assert [event.status for event in events][:2] == [S.QUEUED, S.RUNNING]
        assert (events[-1].status, events[-1].progress) == (S.SUCCEEDED, 1.0)
        assert [event.progress for event in events] == sorted(event.progress for event in events)
        assert ended.findings is not None
        assert ended.findings.difference is not None
        assert ended.findings.difference.success_rate.mean == 0.0  # nothing differs, and the numbers are common
        assert await experiment_changes.parts_done(services.store, made) == set()
        (notice,) = [
            each for each in await inbox(services, viewer) if each.kind is NotificationKind.EXPERIMENT_FINISHED
        ]
        assert notice.subject == Subject(Kind.EXPERIMENT, made.id)
        assert notice.body.startswith("6 replications of 20 tasks: success ")
        entries = await audit.read(services.store, viewer.tenant_id, 0, 1_000)
        about = [(each.action, each.actor_id) for each in entries if each.subject_id == made.id]
        assert about == [("EXPERIMENT_RUN", viewer.user.id), ("EXPERIMENT_FINISHED", None)]
