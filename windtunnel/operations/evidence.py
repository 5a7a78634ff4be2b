"""Looking at what is offered as evidence where it lies, and under which configuration it ran."""

from collections.abc import Awaitable, Callable
from datetime import datetime

import orjson

from windtunnel.domain.audit import AuditAction, AuditFilter
from windtunnel.domain.entities import Kind, Subject
from windtunnel.domain.environments import Environment
from windtunnel.domain.errors import NotFoundError
from windtunnel.domain.evidence import confirms, no_evidence, proves, summary_of, summary_of_experiment
from windtunnel.domain.pages import PageRequest
from windtunnel.domain.policy import PAGE_SIZE_MAX
from windtunnel.domain.reviews import Evidence
from windtunnel.domain.submissions import SubmitRequest
from windtunnel.domain.viewers import Viewer
from windtunnel.operations.places import place_of
from windtunnel.operations.services import Services
from windtunnel.storage import audit, environments, experiments, simulations, submissions


async def gathered_evidence(
    services: Services, viewer: Viewer, wanted: SubmitRequest, deployment_id: str
) -> list[Evidence]:
    """Each piece of evidence once. Raises ValidationError for the first that is none, UnavailableError."""
    found: dict[Subject, Evidence] = {}
    for place, subject in enumerate(wanted.evidence):
        if subject is None or subject.kind not in _OF:
            raise no_evidence(place)
        if subject in found:
            continue
        try:
            evidence = await _OF[subject.kind](
                services, viewer.tenant_id, subject.id, wanted.package_digest, deployment_id
            )
        except NotFoundError:  # its environment ends right now
            evidence = None
        if evidence is None:
            raise no_evidence(place)
        found[subject] = evidence
    return list(found.values())


async def _of_simulation(
    services: Services, tenant_id: str, simulation_id: str, package_digest: str, deployment_id: str
) -> Evidence | None:
    async with place_of(services, tenant_id, simulation_id) as place:
        if place is None:
            return None
        simulation = await simulations.get(place.store, tenant_id, simulation_id)
        if simulation is None or not proves(simulation, package_digest):
            return None
        failures = await submissions.failures_met(place.store, tenant_id, simulation_id)
        environment = place.environment
    return Evidence(
        deployment_id=deployment_id,
        kind=Kind.SIMULATION.value,
        subject_id=simulation_id,
        summary=summary_of(simulation, failures, environment),
        environment_id=environment.id if environment else None,
        snapshot_digest=await _configured(services, environment, simulation.started_at or simulation.created_at)
        if environment
        else None,
    )


async def _of_experiment(
    services: Services, tenant_id: str, experiment_id: str, package_digest: str, deployment_id: str
) -> Evidence | None:
    experiment = await experiments.get(services.home.store, tenant_id, experiment_id)
    if experiment is None or not confirms(experiment, package_digest):
        return None
    environment = None
    if experiment.environment_id is not None:
        environment = await environments.get(services.home.store, tenant_id, experiment.environment_id)
    return Evidence(
        deployment_id=deployment_id,
        kind=Kind.EXPERIMENT.value,
        subject_id=experiment_id,
        summary=summary_of_experiment(experiment, environment),
        environment_id=environment.id if environment else None,
        snapshot_digest=await _configured(services, environment, experiment.created_at) if environment else None,
    )


_Look = Callable[[Services, str, str, str, str], Awaitable[Evidence | None]]
_OF: dict[Kind, _Look] = {Kind.SIMULATION: _of_simulation, Kind.EXPERIMENT: _of_experiment}


async def _configured(services: Services, environment: Environment, since: datetime) -> str:
    """The digest of the configuration that something ran under: the environment may have been refreshed since."""
    filter = AuditFilter(  # noqa: A001
        actions=frozenset({AuditAction.ENVIRONMENT_REFRESHED}),
        subject=Subject(Kind.ENVIRONMENT, environment.id),
        since=since,
    )
    last = PageRequest(limit=PAGE_SIZE_MAX, backward=True, counted=False)
    refreshed = await audit.page(services.home.store, environment.tenant_id, last, filter)
    if not refreshed.items:
        return environment.snapshot_digest
    first = orjson.loads(refreshed.items[-1].details)
    return str(first["from"]["configurationDigest"])
