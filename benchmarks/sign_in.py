"""People at a server in token mode: their secrets, and for each a client and a socket that stay open."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

import httpx
import orjson
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from tests.processes import Api
from windtunnel.domain.viewers import Role
from windtunnel.operations.provide_token import provide_token
from windtunnel.storage.migrations import migrate
from windtunnel.storage.store import open_store

KEPT_S = 1.0
"""Connections that are not used for so long are not used again: well before the server closes them."""


async def secrets(url: str, people: Iterable[tuple[str, str, Role]]) -> list[str]:
    """The secret of each person (tenant, address, role), on a database that is migrated when need be."""
    store = await open_store(url, role=None)
    try:
        await migrate(store)
    finally:
        await store.close()
    store = await open_store(url)
    try:
        made = [await provide_token(store, tenant, email, {role}, name="benchmark") for tenant, email, role in people]
        return [each.secret for each in made]
    finally:
        await store.close()


@asynccontextmanager
async def signed_in(api: Api, secret: str) -> AsyncIterator[tuple[httpx.AsyncClient, ClientConnection]]:
    """A client that sends the secret, and a socket that it has opened."""
    headers = {"Authorization": f"Bearer {secret}"}
    limits = httpx.Limits(max_connections=None, keepalive_expiry=KEPT_S)
    async with (
        httpx.AsyncClient(base_url=api.url, timeout=60, headers=headers, limits=limits) as client,
        connect(api.websocket_url, subprotocols=[Subprotocol("graphql-transport-ws")], compression=None) as socket,
    ):
        init = {"type": "connection_init", "payload": {"authorization": f"Bearer {secret}"}}
        await socket.send(orjson.dumps(init).decode())
        await socket.recv()
        yield client, socket
