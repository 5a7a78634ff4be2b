"""Reading the simulations in environments, where they lie."""

from windtunnel.domain.environments import USABLE_STATUSES, Environment
from windtunnel.domain.errors import UnavailableError
from windtunnel.domain.pages import Page, PageRequest
from windtunnel.domain.simulations import Simulation, SimulationFilter
from windtunnel.operations.places import in_environment
from windtunnel.operations.services import Services
from windtunnel.storage import environments, simulations

EVERYTHING = SimulationFilter()


async def environment_simulations(
    services: Services, environment: Environment, request: PageRequest, wanted: SimulationFilter = EVERYTHING
) -> Page[Simulation]:
    """The simulations in the environment that pass the filter, newest first; none before it is ready and after its end.

    Raises UnavailableError when what is there cannot be read now.
    """
    if environment.status not in USABLE_STATUSES:
        return nothing(request)
    try:
        async with in_environment(services, environment) as place:
            return await simulations.page(place.store, environment.tenant_id, request, wanted)
    except UnavailableError:
        found = await environments.get(services.home.store, environment.tenant_id, environment.id)
        if found and found.status in USABLE_STATUSES:
            raise
        return nothing(request)  # its end has come meanwhile


def nothing(request: PageRequest) -> Page[Simulation]:
    """The page of a list in which there is nothing."""
    return Page(items=[], keys=[], has_next=False, has_previous=False, total=0 if request.counted else None)
