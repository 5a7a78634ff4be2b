"""Tending a claimed environment: whatever it needs next, until it needs nothing more for now."""

from collections.abc import Awaitable, Callable

from windtunnel.domain.environments import Environment, EnvironmentStatus
from windtunnel.operations.clean_up import begin_clean_up, clean_up
from windtunnel.operations.provisioning import provision
from windtunnel.operations.services import Services
from windtunnel.storage import environment_care
from windtunnel.storage.errors import LeaseLostError

_STAGES: dict[EnvironmentStatus, Callable[[Services, Environment], Awaitable[None]]] = {
    EnvironmentStatus.PROVISIONING: provision,
    EnvironmentStatus.FAILED: begin_clean_up,
    EnvironmentStatus.EXPIRING: begin_clean_up,
    EnvironmentStatus.DELETE_STUCK: begin_clean_up,
    EnvironmentStatus.DELETING: clean_up,
}


async def tend_environment(services: Services, environment: Environment) -> None:
    """Make a claimed environment, or take it away; stage by stage, as long as the claim holds.

    Who deletes an environment that is just being made leaves the claim alone: it is taken away from here, once the
    step under way has come to its end. Raises LeaseLostError, UnavailableError.
    """
    while True:
        lost: LeaseLostError | None = None
        try:
            await _STAGES[environment.status](services, environment)
        except LeaseLostError as error:
            lost = error
        now = await environment_care.under_fence(services.store, environment)
        if now is None or now.lease_owner is None or now.status not in _STAGES:
            return
        if now.status is environment.status:
            raise lost or LeaseLostError(environment.id)
        environment = now
