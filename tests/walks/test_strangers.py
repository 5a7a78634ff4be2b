"""Who has not signed in, or has no role, is told so by all but `health`, and no table of tenants is even looked at."""

from dataclasses import replace

import pytest
from graphql import get_introspection_query

from resolvers.context import Context
from tests.queries import counted
from tests.walks.inputs import arguments
from tests.walks.shape import root_entries
from tests.walks.world import codes, naming_guarded, open_world, unknown
from windtunnel.storage.store import Store

OPEN = {"health"}


@pytest.mark.parametrize("who", ["nobody", "somebody without a role"])
async def test_strangers_are_told_to_sign_in(store: Store, who: str) -> None:
    async with open_world(store) as world:
        guarded = await naming_guarded(store)
        stranger = None if who == "nobody" else replace(world.mine, roles=frozenset())
        faults = []
        for entry in root_entries():
            with counted(store) as statements:
                answer = await world.ask(entry, arguments(entry, unknown), stranger, levels=3)
            if entry.name in OPEN:
                if answer["errors"] or not answer["data"]:
                    faults.append(f"{entry}: {answer}")
            elif codes(answer) != ["UNAUTHENTICATED"] or any((answer["data"] or {}).values()):
                faults.append(f"{entry}: {answer}")
            faults += [f"{entry} looks: {sql}" for sql in statements if guarded.search(sql)]
        assert faults == []


async def test_strangers_may_read_what_the_schema_is(store: Store) -> None:
    async with open_world(store) as world:
        with counted(store) as statements:
            result = await world.schema.execute(
                get_introspection_query(), context_value=Context(world.services, None, request_id="walk")
            )
        assert result.errors is None
        assert statements == []
