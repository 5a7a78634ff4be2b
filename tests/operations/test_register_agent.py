"""Registering agents: once per slug, by those who may, on record."""

import asyncio
import json
from dataclasses import replace

import pytest

from tests.operations.world import demo, process
from tests.storage.worlds import stranger
from windtunnel.domain.audit import AuditAction
from windtunnel.domain.entities import Kind, Subject
from windtunnel.domain.errors import ConflictError, ErrorCode, ForbiddenError, ValidationError
from windtunnel.domain.submissions import RegisterRequest
from windtunnel.domain.viewers import Role
from windtunnel.operations.register_agent import register_agent
from windtunnel.storage import agents, audit

REQUEST = RegisterRequest("triage", "  Ticket triage ", " Sorts tickets. ")


async def test_an_agent_is_registered_with_nothing_in_production(database_url: str) -> None:
    async with process(database_url) as one:
        viewer = await demo(one)
        made = await register_agent(one, viewer, REQUEST)
        assert (made.slug, made.name, made.description) == ("triage", "Ticket triage", "Sorts tickets.")
        assert (made.owner_id, made.held_by) == (viewer.user.id, None)
        assert await agents.get(one.store, viewer.tenant_id, made.id) == made
        assert await agents.of_slug(one.store, viewer.tenant_id, "triage") == made
        pointer = (await agents.pointers(one.store, viewer.tenant_id, [made.id]))[made.id]
        assert (pointer.fence, pointer.release_seq, pointer.version_id) == (0, 0, None)
        entry = (await audit.read(one.store, viewer.tenant_id, 0, 100))[-1]
        assert (entry.action, entry.subject) == (AuditAction.AGENT_REGISTERED, Subject(Kind.AGENT, made.id))
        assert json.loads(entry.details) == {"slug": "triage", "name": "Ticket triage"}


async def test_a_slug_is_one_agent_in_a_tenant_and_another_in_another(database_url: str) -> None:
    async with process(database_url) as one:
        viewer, eve = await demo(one), await stranger(one.store)
        tried = await asyncio.gather(*(register_agent(one, viewer, REQUEST) for _ in range(5)), return_exceptions=True)
        (made,) = [each for each in tried if not isinstance(each, BaseException)]
        refused = [each for each in tried if isinstance(each, ConflictError)]
        assert [(each.path, each.code) for each in refused] == [(("input", "slug"), ErrorCode.CONFLICT)] * 4
        theirs = await register_agent(one, eve, REQUEST)
        assert theirs.id != made.id
        assert await agents.get(one.store, viewer.tenant_id, theirs.id) is None


async def test_asked_again_with_the_same_key_it_is_the_same_agent(database_url: str) -> None:
    async with process(database_url) as one:
        viewer = await demo(one)
        keyed = replace(REQUEST, idempotency_key="k")
        made = await register_agent(one, viewer, keyed)
        assert await register_agent(one, viewer, keyed) == made
        with pytest.raises(ConflictError) as refused:
            await register_agent(one, viewer, replace(keyed, name="Else"))
        assert refused.value.code is ErrorCode.IDEMPOTENCY_MISMATCH


async def test_those_who_may_are_developers_and_admins(database_url: str) -> None:
    async with process(database_url) as one:
        viewer = await demo(one)
        for number, role in enumerate(Role):
            asked = replace(REQUEST, slug=f"a{number}")
            who = replace(viewer, roles=frozenset({role}))
            if role in {Role.DEVELOPER, Role.ADMIN}:
                assert (await register_agent(one, who, asked)).slug == asked.slug
            else:
                with pytest.raises(ForbiddenError):
                    await register_agent(one, who, asked)


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"slug": ""}, "slug"),
        ({"slug": "Triage"}, "slug"),
        ({"slug": "-a"}, "slug"),
        ({"slug": "a" * 64}, "slug"),
        ({"name": " \n "}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"name": "\ud800"}, "name"),
        ({"description": "x" * 2_001}, "description"),
        ({"description": "a\0"}, "description"),
    ],
)
async def test_what_cannot_be_kept_or_read_is_refused(sqlite_url: str, changes: dict[str, str], path: str) -> None:
    async with process(sqlite_url) as one:
        viewer = await demo(one)
        with pytest.raises(ValidationError) as refused:
            await register_agent(one, viewer, replace(REQUEST, **changes))
        assert refused.value.path == ("input", path)


async def test_the_longest_that_is_allowed_is_kept(database_url: str) -> None:
    async with process(database_url) as one:
        made = await register_agent(one, await demo(one), RegisterRequest("a" * 63, "n" * 200, "d" * 2_000))
        assert (len(made.slug), len(made.name), len(made.description)) == (63, 200, 2_000)
