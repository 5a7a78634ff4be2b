"""The expected time, from what is stored: reviews of the same classification, decided before, and who can review."""

from datetime import timedelta

from tests.operations.pipeline_world import in_review, registered, submitted
from tests.operations.world import demo, process
from tests.storage.worlds import colleague, stranger
from windtunnel.domain.deployments import Deployment
from windtunnel.domain.reviews import ReviewStatus
from windtunnel.domain.viewers import Role, Viewer
from windtunnel.operations.expect_review import expect_review, expectation_of
from windtunnel.operations.services import Services
from windtunnel.storage import people, review_changes

HOUR = timedelta(hours=1)


async def decided(services: Services, viewer: Viewer, made: Deployment, hours: int, status: ReviewStatus) -> None:
    """A review that took so long."""
    services.store.clock_offset += hours * HOUR
    async with services.store.transaction(viewer.tenant_id):
        assert await review_changes.ended(
            services.store, viewer.tenant_id, made.id, status, "Because of the reasons below."
        )


async def test_it_is_reckoned_from_the_last_reviews_like_it(database_url: str) -> None:
    async with process(database_url) as one:
        viewer, eve = await demo(one), await stranger(one.store)
        agent, theirs = await registered(one, viewer), await registered(one, eve)
        for number in range(10):
            status = ReviewStatus.APPROVED if number % 2 else ReviewStatus.REJECTED
            await decided(one, viewer, await in_review(one, viewer, agent), 1 + number, status)
        # None of these counts: nobody decided, or somebody else's.
        await decided(one, viewer, await in_review(one, viewer, agent), 23, ReviewStatus.WITHDRAWN)
        await decided(one, eve, await in_review(one, eve, theirs), 23, ReviewStatus.APPROVED)
        made = await submitted(one, viewer, agent)
        expected = await expectation_of(one, made)
        assert timedelta(0) <= expected.at - made.submitted_at - 8 * HOUR < timedelta(minutes=1)
        assert expected.basis.startswith("Three quarters of the last 10 reviews of internal packages were decided ")
        assert "default" in (await expect_review(one, made, "restricted")).basis
        # What happens later does not change it.
        await decided(one, viewer, await in_review(one, viewer, agent), 20, ReviewStatus.APPROVED)
        assert await expectation_of(one, made) == expected


async def test_it_takes_longer_with_more_waiting_for_each_reviewer(database_url: str) -> None:
    async with process(database_url) as one:
        viewer = await demo(one)
        agent = await registered(one, viewer)
        for _ in range(10):
            await decided(one, viewer, await in_review(one, viewer, agent), 1, ReviewStatus.APPROVED)
        for _ in range(2):
            await in_review(one, viewer, agent)
        made = await submitted(one, viewer, agent)
        alone = await expectation_of(one, made)
        assert "; 2 others wait, and there is 1 reviewer." in alone.basis
        assert 3 * HOUR <= alone.at - made.submitted_at < 3 * HOUR + timedelta(minutes=1)
        bo = await colleague(one.store, viewer)
        async with one.store.transaction(viewer.tenant_id):
            await people.set_roles(one.store, viewer.tenant_id, bo.user.id, {Role.SECURITY_REVIEWER})
        assert (await expectation_of(one, made)).at < alone.at
