"""Who is let in, and until when."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING

from app.settings import Settings
from windtunnel.operations.services import Services
from windtunnel.storage.sign_in import still_signed_in
from windtunnel.storage.tenants import ensure_demo

if TYPE_CHECKING:
    from app.sign_in.entrance import Entrance
    from app.sign_in.sessions import Authenticate


@asynccontextmanager
async def opened_entrance(settings: Settings, services: Services) -> AsyncIterator["Entrance"]:
    """Who is let in, as the settings choose; what they follow is watched for as long as this is open."""
    from app.sign_in.entrance import Entrance
    from app.sign_in.modes import by_oidc, in_dev
    from app.sign_in.tokens import ApiTokens
    from app.sign_in.watch import Watch

    watch, tokens = Watch(partial(still_signed_in, services.store)), ApiTokens(services.store)
    authenticate: Authenticate = tokens
    async with AsyncExitStack() as stack:
        stack.push_async_callback(tokens.close)
        await stack.enter_async_context(watch.looking(services.hub))
        if settings.auth == "dev":
            authenticate = in_dev(tokens, await ensure_demo(services.store))
        elif settings.auth == "oidc":
            from app.sign_in.oidc import issued_by

            issuer, audience = settings.oidc_issuer or "", settings.oidc_audience or ""
            people = await stack.enter_async_context(issued_by(issuer, audience, services.store))
            authenticate = by_oidc(tokens, people)
        yield Entrance(authenticate, watch)
