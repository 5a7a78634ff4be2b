"""The simulations that ran a package, wherever they lie: at home and in the tenant's environments, as one list."""

from windtunnel.domain.environments import USABLE_STATUSES, EnvironmentFilter
from windtunnel.domain.pages import Page, PageRequest
from windtunnel.domain.policy import ENVIRONMENTS_PER_TENANT
from windtunnel.domain.simulations import Simulation, SimulationFilter
from windtunnel.operations.environment_simulations import environment_simulations
from windtunnel.operations.services import Services
from windtunnel.storage import environments, simulations

_ALL = PageRequest(ENVIRONMENTS_PER_TENANT, counted=False)


async def package_simulations(
    services: Services, tenant_id: str, digest: str, request: PageRequest
) -> Page[Simulation]:
    """Those that the package with this digest was tied to, newest first; not those of environments that are gone.

    Raises UnavailableError when what is in an environment cannot be read now.
    """
    wanted = SimulationFilter(package_digest=digest)
    store = services.home.store
    pages = [await simulations.page(store, tenant_id, request, wanted)]
    there = await environments.page(store, tenant_id, _ALL, EnvironmentFilter(statuses=USABLE_STATUSES))
    pages += [await environment_simulations(services, each, request, wanted) for each in there.items]
    return _merged(pages, request)


def _merged(pages: list[Page[Simulation]], request: PageRequest) -> Page[Simulation]:
    """One page of all lists together: each gives as many as it takes to fill it."""
    found = [pair for page in pages for pair in zip(page.keys, page.items, strict=True)]
    found.sort(key=lambda pair: (pair[0].number, pair[0].id), reverse=True)
    chosen = found[-request.limit :] if request.backward else found[: request.limit]
    more = len(found) > len(chosen)
    return Page(
        items=[item for _, item in chosen],
        keys=[key for key, _ in chosen],
        has_next=any(page.has_next for page in pages) or (more and not request.backward),
        has_previous=any(page.has_previous for page in pages) or (more and request.backward),
        total=sum(page.total or 0 for page in pages) if request.counted else None,
    )
