"""What happens to an environment, followed as it happens and read from the log; ending when nothing remains."""

import asyncio
from contextlib import aclosing

import pytest

from schema.ids import Kind, encode
from tests.graphql.environments import asked, do, followed
from tests.graphql.world import Client
from tests.waiting import until
from windtunnel.domain.ids import new_id


async def test_events_are_read_and_then_live(client: Client) -> None:
    made = await asked(client)
    async with aclosing(followed(client, made["id"])) as stream:
        first = await anext(stream)
        assert (first["environmentId"], first["seq"], first["status"]) == (made["id"], 1, "PROVISIONING")
        assert (first["at"], first["progress"]) == (made["createdAt"], 0.0)
        coming = asyncio.ensure_future(anext(stream))
        await until(lambda: client.services.hub.followers > 0)
        await do(client, "delete", environmentId=made["id"])
        second = await coming
        assert (second["seq"], second["status"]) == (2, "DELETING")
    assert client.services.hub.followers == 0


async def test_a_stream_goes_on_where_it_was_left(client: Client) -> None:
    made = await asked(client)
    await do(client, "delete", environmentId=made["id"])
    async with aclosing(followed(client, made["id"], after=1)) as stream:
        assert (await anext(stream))["seq"] == 2
    with pytest.raises(ValueError, match="BAD_USER_INPUT"):
        await anext(followed(client, made["id"], after=-1))


async def test_nobody_follows_what_is_not_theirs(client: Client, eve: Client) -> None:
    made = await asked(eve)
    for unknown in (made["id"], encode(Kind.ENVIRONMENT, new_id()), encode(Kind.SIMULATION, new_id()), "nonsense"):
        with pytest.raises(ValueError, match="NOT_FOUND"):
            await anext(followed(client, unknown))
    assert client.services.hub.followers == 0
