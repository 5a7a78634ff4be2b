"""The context of one operation."""

import pytest

from resolvers.context import Context
from tests.graphql.world import Client
from windtunnel.domain.errors import ErrorCode, ForbiddenError


async def test_nobody_is_signed_in_without_a_viewer(client: Client) -> None:
    context = Context(client.services, None, "test")
    for ask in (context.signed_in, lambda: context.tenant_id, lambda: context.loaders):
        with pytest.raises(ForbiddenError) as refused:
            ask()
        assert refused.value.code is ErrorCode.UNAUTHENTICATED


async def test_what_was_loaded_is_kept_until_it_is_forgotten(client: Client) -> None:
    context = client.context()
    loaders = context.loaders
    assert context.loaders is loaders
    context.forget()
    assert context.loaders is not loaders


async def test_the_transport_may_set_the_connection_parameters(client: Client) -> None:
    context = client.context()
    context.connection_params = {"authorization": "Bearer x"}
    assert context.connection_params == {"authorization": "Bearer x"}
