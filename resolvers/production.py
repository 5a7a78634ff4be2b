"""Production: how it is configured, and configuring it."""

from collections.abc import Sequence

from resolvers.context import Context
from windtunnel.domain.configuring import EntryRequest
from windtunnel.domain.production import Snapshot
from windtunnel.operations.configure_production import configure_production


async def production(context: Context) -> Snapshot:
    """The configuration of the viewer's tenant as it is now; everybody may see it: of secrets there is none to see."""
    return await context.loaders.production.load(context.tenant_id)


async def configure(
    context: Context, wanted: Sequence[EntryRequest], unset: Sequence[str], idempotency_key: str | None
) -> Snapshot:
    """The configuration after a change."""
    return await configure_production(
        context.services, context.signed_in(), wanted, unset, idempotency_key=idempotency_key
    )
