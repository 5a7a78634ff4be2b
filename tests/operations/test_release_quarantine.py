"""Releasing a version from quarantine: by a reviewer who had no part in it, for a reason, once."""

import json
from dataclasses import replace

import pytest

from tests.operations.releases_world import (
    REASON,
    agent_with,
    approved,
    claimed,
    live,
    on_record,
    rolled,
    states,
    versions_of,
)
from tests.operations.world import demo, process, with_token
from tests.storage.worlds import colleague, stranger
from windtunnel.domain.agents import VersionState
from windtunnel.domain.audit import AuditAction
from windtunnel.domain.entities import Kind, Subject
from windtunnel.domain.errors import (
    ConflictError,
    ErrorCode,
    ForbiddenError,
    NotFoundError,
    PolicyError,
    ValidationError,
)
from windtunnel.domain.viewers import Role
from windtunnel.operations.release_quarantine import release_quarantine
from windtunnel.operations.restoring import complete

WHY = "Looked at it again: the prompt was fine."


async def test_a_reviewer_makes_it_a_target_again(database_url: str) -> None:
    async with process(database_url) as one:
        viewer = await demo(one)
        reviewer = await colleague(one.store, viewer, "Rae")
        agent = await agent_with(one, viewer, "1.0.0", "2.0.0")
        await rolled(one, viewer, agent)
        await complete(one, await claimed(one))
        taken = (await versions_of(one, agent))["2.0.0"]

        released = await release_quarantine(one, reviewer, taken.id, WHY, idempotency_key="k")
        assert (released.state, released.quarantine_reason) == (VersionState.STANDBY, None)
        again = await release_quarantine(one, reviewer, taken.id, WHY, idempotency_key="k")
        assert again == released
        entry = (await on_record(one, viewer))[-1]
        assert (entry.action, entry.subject) == (AuditAction.VERSION_RELEASED, Subject(Kind.AGENT_VERSION, taken.id))
        assert (entry.actor_id, entry.reason) == (reviewer.user.id, WHY)
        assert json.loads(entry.details)["quarantineReason"] == REASON
        await rolled(one, viewer, agent, "2.0.0")
        await complete(one, await claimed(one))
        assert await states(one, agent) == {"1.0.0": "QUARANTINED", "2.0.0": "LIVE"}


async def test_who_had_a_part_in_it_cannot(database_url: str) -> None:
    async with process(database_url) as one:
        viewer = await demo(one)
        reviewer = await colleague(one.store, viewer, "Rae")
        agent = await agent_with(one, viewer, "1.0.0", "2.0.0")
        await rolled(one, viewer, agent)
        await complete(one, await claimed(one))
        taken = (await versions_of(one, agent))["2.0.0"]
        for mine in (viewer, await with_token(one, viewer, *Role)):
            with pytest.raises(PolicyError) as refused:
                await release_quarantine(one, mine, taken.id, WHY)
            assert refused.value.code is ErrorCode.SELF_REVIEW
        for roles in ({Role.ADMIN, Role.OPERATOR, Role.DEVELOPER, Role.AUDITOR}, set()):
            with pytest.raises(ForbiddenError):
                await release_quarantine(one, replace(reviewer, roles=frozenset(roles)), taken.id, WHY)
        for who, which in ((reviewer, "nobody's"), (await stranger(one.store), taken.id)):
            with pytest.raises(NotFoundError):
                await release_quarantine(one, who, which, WHY)
        with pytest.raises(ValidationError):
            await release_quarantine(one, reviewer, taken.id, "fine")
        assert (await states(one, agent))["2.0.0"] == "QUARANTINED"


async def test_only_what_is_in_quarantine_can_be_released(database_url: str) -> None:
    async with process(database_url) as one:
        viewer = await demo(one)
        reviewer = await colleague(one.store, viewer, "Rae")
        agent = await agent_with(one, viewer, *(f"{number}.0.0" for number in range(1, 12)))
        await approved(one, viewer, agent, "90.0.0")
        for number, state, code in (
            ("1.0.0", "PRUNED", ErrorCode.VERSION_PRUNED),
            ("2.0.0", "STANDBY", ErrorCode.CONFLICT),
            ("11.0.0", "LIVE", ErrorCode.CONFLICT),
            ("90.0.0", "CANDIDATE", ErrorCode.CONFLICT),
        ):
            version = (await versions_of(one, agent))[number]
            with pytest.raises(ConflictError) as refused:
                await release_quarantine(one, reviewer, version.id, WHY)
            assert (refused.value.current, refused.value.code) == (state, code)


async def test_ten_are_retained_and_the_pinned_one_is_never_pruned(database_url: str) -> None:
    async with process(database_url) as one:
        viewer = await demo(one)
        agent = await agent_with(one, viewer, *(f"{number}.0.0" for number in range(1, 11)))
        await rolled(one, viewer, agent, "1.0.0")
        await complete(one, await claimed(one))
        assert (await states(one, agent))["10.0.0"] == "QUARANTINED"
        await live(one, viewer, agent, "11.0.0")
        now = await states(one, agent)
        assert now["10.0.0"] == "PRUNED"  # quarantined ones go first
        await live(one, viewer, agent, "12.0.0")
        now = await states(one, agent)
        assert now["2.0.0"] == "PRUNED"  # 1.0.0 was live later
        assert sum(state in {"LIVE", "STANDBY", "QUARANTINED"} for state in now.values()) == 10
        with pytest.raises(ConflictError) as refused:
            await rolled(one, viewer, agent, "2.0.0")
        assert refused.value.code is ErrorCode.VERSION_PRUNED
