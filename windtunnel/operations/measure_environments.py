"""How much environments keep, noted now and then: it is shown, and is part of what was used when they are gone."""

from collections.abc import MutableMapping

import structlog

from windtunnel.domain.environments import Environment
from windtunnel.domain.errors import UnavailableError
from windtunnel.operations.environment_storage import bytes_in
from windtunnel.operations.places import in_environment
from windtunnel.operations.services import Services
from windtunnel.storage import environment_care, environment_times

log = structlog.get_logger()


async def measure_environments(services: Services, measured: MutableMapping[str, int]) -> int:
    """Measure those that stand and in which something was done since they were; how many.

    `measured` says by ids what had been done by then; keep it for the next time. Raises UnavailableError.
    """
    standing = await environment_times.standing(services.store)
    for gone in measured.keys() - {each.id for each in standing}:
        del measured[gone]
    changed = [each for each in standing if measured.get(each.id) != each.work_seq]
    for environment in changed:
        if await measure(services, environment) and environment.worked_seq == environment.work_seq:
            measured[environment.id] = environment.work_seq
    return len(changed)


async def measure(services: Services, environment: Environment) -> bool:
    """Note how much an environment keeps; False when it cannot be told, which is no reason to fail."""
    try:
        if not await services.places.databases.exists(environment.namespace):
            return False
        async with in_environment(services, environment) as place:
            kept = await bytes_in(place)
    except (UnavailableError, OSError) as error:
        log.warning("environment not measured", environment_id=environment.id, reason=str(error))
        return False
    except Exception:
        log.exception("environment not measured because of a defect", environment_id=environment.id)
        return False
    await environment_care.measured(services.store, environment, kept)
    return True
