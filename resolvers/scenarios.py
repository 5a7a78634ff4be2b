"""Reading scenarios, and deleting them."""

from resolvers.context import Context
from resolvers.loaders import Slice
from windtunnel.domain.errors import ValidationError
from windtunnel.domain.pages import Page, PageRequest
from windtunnel.domain.policy import SEARCH_MAX_CHARS
from windtunnel.domain.scenarios import Scenario, check_storable
from windtunnel.domain.simulations import Simulation
from windtunnel.operations.delete_scenario import delete_scenario
from windtunnel.storage import scenarios as stored


async def scenario(context: Context, id: str | None) -> Scenario | None:
    """The scenario of the viewer's tenant, None when there is none."""
    loader = context.loaders.scenarios  # also without an id, only for the signed-in
    return None if id is None else await loader.load(id)


async def page(context: Context, request: PageRequest, search: str | None) -> Page[Scenario]:
    """Scenarios, newest first; with `search` only those whose title or text contains it."""
    check_search(search)
    return await stored.page(context.services.store, context.tenant_id, request, search or None)


async def simulations(context: Context, scenario_id: str, request: PageRequest) -> Page[Simulation]:
    """Simulations of one scenario, newest first."""
    return await context.loaders.scenario_simulations.load(scenario_id, Slice(request.limit, request.after))


async def delete(context: Context, id: str) -> str:
    """Delete the scenario with its simulations; its id."""
    return await delete_scenario(context.services, context.signed_in(), id)


def check_search(search: str | None) -> None:
    """Raise ValidationError unless this can be searched for."""
    if search is not None:
        if len(search) > SEARCH_MAX_CHARS:
            raise ValidationError(
                f"`search` may have at most {SEARCH_MAX_CHARS} characters.", rule="string_too_long", path=("search",)
            )
        check_storable(search, ("search",))
