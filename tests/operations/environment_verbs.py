"""Verbs on environments by name, and what they leave behind: events and audit entries."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from windtunnel.domain.audit import AuditEntry
from windtunnel.domain.environments import Environment, EnvironmentStatus
from windtunnel.domain.viewers import Viewer
from windtunnel.operations.delete_environment import delete_environment
from windtunnel.operations.extend_environment import extend_environment
from windtunnel.operations.pause_environment import pause_environment
from windtunnel.operations.refresh_environment import refresh_environment
from windtunnel.operations.resume_environment import resume_environment
from windtunnel.operations.services import Services
from windtunnel.storage import audit, environment_events

HOUR, DAY, MS = timedelta(hours=1), timedelta(days=1), timedelta(milliseconds=1)
Verb = Callable[[Services, Viewer, str], Awaitable[Environment]]


async def extend(services: Services, viewer: Viewer, environment_id: str) -> Environment:
    return await extend_environment(services, viewer, environment_id, HOUR)


VERBS: dict[str, Verb] = {
    "extendEnvironment": extend,
    "pauseEnvironment": pause_environment,
    "resumeEnvironment": resume_environment,
    "refreshEnvironment": refresh_environment,
    "deleteEnvironment": delete_environment,
}
GUARDED = [name for name in VERBS if name != "deleteEnvironment"]


async def log(services: Services, viewer: Viewer) -> list[AuditEntry]:
    return list(await audit.read(services.store, viewer.tenant_id, 0, 1_000))


async def steps(services: Services, environment: Environment) -> list[tuple[str, EnvironmentStatus]]:
    told = await environment_events.read(services.store, environment.tenant_id, environment.id)
    assert [event.seq for event in told] == list(range(1, len(told) + 1))
    return [(event.step, event.status) for event in told]


def spelt(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def turn(services: Services, moment: datetime, now: datetime) -> None:
    """Have the clock show `moment` instead of `now`."""
    services.store.clock_offset += moment - now
