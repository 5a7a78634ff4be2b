"""Running an experiment: what is asked for is checked, stored and queued; a worker conducts it."""

import asyncio
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from windtunnel.domain.architectures import StoredArchitecture
from windtunnel.domain.audit import AuditAction
from windtunnel.domain.entities import Kind, Subject
from windtunnel.domain.errors import NotFoundError, QuotaError, ValidationError, WindtunnelError
from windtunnel.domain.experiments import Experiment, ExperimentStatus, Load
from windtunnel.domain.permissions import Action
from windtunnel.domain.policy import EXPERIMENTS_WAITING_PER_TENANT, SEED_MAX
from windtunnel.domain.viewers import Viewer
from windtunnel.experiments.loads import check_load
from windtunnel.experiments.recipes import models_of, recipe_of
from windtunnel.operations.announce import announce_experiments
from windtunnel.operations.audit_trail import record
from windtunnel.operations.entering import in_use
from windtunnel.operations.experiment_log import announce_experiment, current
from windtunnel.operations.idempotent import Asked, Done, check_key, once
from windtunnel.operations.permit import permit
from windtunnel.operations.places import place_of
from windtunnel.operations.read_package import usable_package
from windtunnel.operations.services import Services
from windtunnel.storage import architectures, experiment_changes, experiments, simulations


@dataclass(frozen=True, slots=True)
class ExperimentRequest:
    """What `runExperiment` is asked for; ids are raw, `overrides` and `variant` JSON values by agent or tool key."""

    architecture_id: str
    package_digest: str | None = None
    environment_id: str | None = None
    replications: int = 200
    tasks: int = 300
    arrival_rate: float = 1.0
    seed: int | None = None
    overrides: Mapping[str, Any] | None = None
    variant: Mapping[str, Any] | None = None
    idempotency_key: str | None = None


async def run_experiment(services: Services, viewer: Viewer, request: ExperimentRequest) -> Experiment:
    """The experiment, QUEUED; asked again with the same idempotency key, as it is by then.

    Raises ForbiddenError, ValidationError (PACKAGE_INVALID), NotFoundError, QuotaError, ConflictError
    (IDEMPOTENCY_MISMATCH, ENVIRONMENT_EXPIRED, ENVIRONMENT_PAUSED), UnavailableError.
    """
    subject = Subject(Kind.ARCHITECTURE, request.architecture_id)
    await permit(services, viewer, Action.RUN_EXPERIMENT, subject)
    load = _load_of(request)
    check_key(request.idempotency_key)
    home, tenant_id = services.home, viewer.tenant_id
    async with place_of(services, tenant_id, request.architecture_id) as place:
        refusal: WindtunnelError | None = None
        try:
            await _check(place, viewer, request, load)
        except WindtunnelError as error:
            refusal = error

        async def act() -> Done[experiment_changes.Changed]:
            if refusal is not None:
                raise refusal  # told only if it is a new request
            changed = await _insert(place or home, viewer, request, load)
            await _put_on_record(home, viewer, changed[0])
            return Done(changed[0].id, changed)

        asked = Asked(Action.RUN_EXPERIMENT, request.idempotency_key, _what(request), subject)
        outcome = await once(place or home, viewer, asked, act)
    if outcome.made is None:
        return await current(home, tenant_id, outcome.result_id)
    experiment, event = outcome.made
    await announce_experiments(home.bus)
    await announce_experiment(home.bus, event)
    return experiment


async def _check(place: Services | None, viewer: Viewer, request: ExperimentRequest, load: Load) -> None:
    """Raise what is wrong with the request."""
    stored = await _architecture(place, viewer, request)
    if request.package_digest is not None and place is not None:
        await usable_package(place, viewer, request.package_digest)
        if not await simulations.ran(place.store, viewer.tenant_id, stored.id, request.package_digest):
            raise ValidationError(
                "This is not the network that the package declares: simulate the package first, and run the experiment"
                " with the architecture of that simulation.",
                rule="package_with_other_architecture",
                path=("input", "package_digest"),
            )
    recipe = recipe_of(stored.architecture, load, request.overrides, request.variant)
    try:
        await asyncio.to_thread(models_of, recipe)
    except ValidationError as error:
        if error.path is not None and error.path[0] == "network":  # the architecture itself, with what is changed of it
            error.path = ("input", "architecture_id")
        raise


async def _architecture(place: Services | None, viewer: Viewer, request: ExperimentRequest) -> StoredArchitecture:
    """What is simulated. One in an environment can be simulated in no other."""
    own = place.environment.id if place and place.environment else None
    if place is None or (own and request.environment_id not in {None, own}):
        raise _no_architecture(request)
    id = request.architecture_id  # noqa: A001
    found = (await architectures.get_many(place.store, viewer.tenant_id, [id])).get(id)
    if found is None:
        raise _no_architecture(request)
    return found


async def _insert(
    place: Services, viewer: Viewer, request: ExperimentRequest, load: Load
) -> experiment_changes.Changed:
    home, tenant_id = place.home, viewer.tenant_id
    environment_id = request.environment_id or (place.environment.id if place.environment else None)
    if environment_id is not None:
        await in_use(home, tenant_id, environment_id)
    await _architecture(place, viewer, request)  # not deleted meanwhile
    waiting = await experiments.open_of(home.store, tenant_id)
    if waiting >= EXPERIMENTS_WAITING_PER_TENANT:
        raise QuotaError(
            f"{waiting:,} of your experiments are not over; at most {EXPERIMENTS_WAITING_PER_TENANT:,} may be so. "
            "Try again when some are, or cancel some.",
            limit=EXPERIMENTS_WAITING_PER_TENANT,
            used=waiting,
        )
    experiment = Experiment(
        id=home.new_id(),
        tenant_id=tenant_id,
        architecture_id=request.architecture_id,
        environment_id=environment_id,
        package_digest=request.package_digest,
        status=ExperimentStatus.QUEUED,
        load=load,
        overrides=request.overrides,
        variant=request.variant,
        progress=0.0,
        last_seq=0,
        findings=None,
        failure=None,
        created_by=viewer.user.id,
        created_at=await home.store.now(),
        finished_at=None,
        request_id=viewer.request_id,
    )
    return await experiment_changes.insert(home.store, experiment)


async def _put_on_record(home: Services, viewer: Viewer, experiment: Experiment) -> None:
    load = experiment.load
    details: dict[str, object] = {
        "architectureId": Subject(Kind.ARCHITECTURE, experiment.architecture_id),
        "seed": load.seed,
        "replications": load.replications,
        "tasks": load.tasks,
        "arrivalRate": load.arrival_rate,
        "paired": experiment.variant is not None,
    }
    if experiment.environment_id is not None:
        details["environmentId"] = Subject(Kind.ENVIRONMENT, experiment.environment_id)
    if experiment.package_digest is not None:
        details["packageDigest"] = experiment.package_digest
    subject = Subject(Kind.EXPERIMENT, experiment.id)
    await record(home, viewer, viewer.tenant_id, AuditAction.EXPERIMENT_RUN, subject, details=details)


def _load_of(request: ExperimentRequest) -> Load:
    seed = secrets.randbelow(SEED_MAX + 1) if request.seed is None else request.seed
    load = Load(seed, request.replications, request.tasks, request.arrival_rate)
    check_load(load)
    return load


def _what(request: ExperimentRequest) -> dict[str, object]:
    """Everything that makes a difference to the experiment."""
    return {name: value for name, value in asdict(request).items() if name != "idempotency_key"}


def _no_architecture(request: ExperimentRequest) -> NotFoundError:
    return NotFoundError(
        "There is no such architecture.", resource_id=request.architecture_id, path=("input", "architecture_id")
    )
