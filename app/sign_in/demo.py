"""Tokens of the demo's other people, printed by a dev server: nobody approves their own submission."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

from windtunnel.domain.errors import WindtunnelError
from windtunnel.domain.viewers import Role
from windtunnel.operations.minting import Issued
from windtunnel.operations.provide_token import provide_token
from windtunnel.operations.withdraw_token import withdraw_token
from windtunnel.storage import tenants, tokens
from windtunnel.storage.store import Store

PEOPLE = {"dev@demo.local": Role.DEVELOPER, "reviewer@demo.local": Role.SECURITY_REVIEWER}
NAME = "printed by windtunnel serve"
LASTS = timedelta(hours=24)
KEPT = {"sqlite": 0, "postgres": 20}
"""How many of those printed before stay: on PostgreSQL other servers may run beside this one."""


@asynccontextmanager
async def demo_tokens(store: Store) -> AsyncIterator[Mapping[str, str]]:
    """New secrets by address, valid until the server ends; should it be killed, until the next start or LASTS."""
    tenant = await tenants.ensure(store, tenants.DEMO_SLUG, "Demo")
    printed = [token for token in await tokens.list_valid(store, tenant.id) if token.name == NAME]
    for token in printed[KEPT[store.dialect] :]:
        await withdraw_token(store, token.id)
    issued: dict[str, Issued] = {
        email: await provide_token(store, tenant.slug, email, [role], name=NAME, expires_in=LASTS)
        for email, role in PEOPLE.items()
    }
    try:
        yield {email: each.secret or "" for email, each in issued.items()}
    finally:
        for each in issued.values():
            with suppress(WindtunnelError):
                await withdraw_token(store, each.token.id)
