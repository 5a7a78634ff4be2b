"""Conducting an experiment: a crew does its parts, what is done is stored, and whoever takes over does the rest."""

import asyncio
from contextlib import suppress
from typing import Any

import structlog

from windtunnel.domain.experiments import Experiment, ExperimentStatus
from windtunnel.experiments.crew import CrewError, ExhaustedError
from windtunnel.experiments.recipes import Recipe, concluded, laid_out, recipe_of
from windtunnel.operations.announce import conductor_channel
from windtunnel.operations.experiment_end import finish
from windtunnel.operations.experiment_log import announce_experiment
from windtunnel.operations.experiment_parts import do_parts
from windtunnel.operations.places import gathered
from windtunnel.operations.services import Services
from windtunnel.storage import architectures, experiment_changes, experiments
from windtunnel.storage.errors import LeaseLostError
from windtunnel.streams.listener import Listener

DEFECT = "The experiment failed because of a defect in this service. Run it again, or tell its operator."
EXHAUSTED = (
    "A part of the experiment takes more memory than there is for it. Ask for fewer tasks in each replication; "
    "the operator can tell how much memory there is."
)
GIVEN_UP = "The experiment was given up: too many processes that conducted it came to an end."
NO_ARCHITECTURE = "The architecture was deleted meanwhile."
LOOK_EVERY_S = 1.0
CONDUCTORS_MAX = 50

log = structlog.get_logger()


async def conduct_experiment(services: Services, experiment: Experiment) -> None:
    """Bring a claimed experiment to its end; parts that a former conductor has stored are not done again.

    Returns early once somebody else conducts it, or it is over or deleted. Raises UnavailableError: the experiment can
    be claimed again later.
    """
    try:
        async with services.home.hub.bell(conductor_channel(experiment.id)) as bell:
            await _as_long_as_held(services.home, experiment, bell)
    except LeaseLostError:
        log.debug("experiment conducted by someone else, or over", experiment_id=experiment.id)


async def _as_long_as_held(services: Services, experiment: Experiment, bell: Listener[Any]) -> None:
    conducting = asyncio.create_task(_conduct(services, experiment), name=f"conducting {experiment.id}")
    looking = asyncio.create_task(_until_lost(services, experiment, bell), name=f"looking after {experiment.id}")
    try:
        await asyncio.wait([conducting, looking], return_when=asyncio.FIRST_COMPLETED)
    finally:
        looking.cancel()
        if not conducting.done():
            conducting.cancel()
        await asyncio.wait([conducting, looking])
    if not conducting.cancelled():
        conducting.result()
    elif not looking.cancelled():
        looking.result()


async def _until_lost(services: Services, experiment: Experiment, bell: Listener[Any]) -> None:
    """Return once somebody else has it, or it is over or deleted."""
    while True:
        with suppress(TimeoutError):
            async with asyncio.timeout(LOOK_EVERY_S):
                await bell.wait()
        found = await experiments.get(services.store, experiment.tenant_id, experiment.id)
        if found is None or found.fence != experiment.fence or found.status.is_final:
            return


async def _conduct(services: Services, experiment: Experiment) -> None:
    if experiment.fence > CONDUCTORS_MAX:
        await finish(services, experiment, failure=GIVEN_UP)
        return
    if experiment.status is ExperimentStatus.QUEUED:
        experiment = await _begun(services, experiment)
    recipe = await _recipe(services, experiment)
    if recipe is None:
        await finish(services, experiment, failure=NO_ARCHITECTURE)
        return
    try:
        findings = await _found(services, experiment, recipe)
    except ExhaustedError as error:
        log.warning("experiment too large for the memory", experiment_id=experiment.id, reason=str(error))
        await finish(services, experiment, failure=EXHAUSTED)
    except CrewError as error:
        log.exception("experiment failed", experiment_id=experiment.id, reason=str(error))
        await finish(services, experiment, failure=DEFECT)
    else:
        await finish(services, experiment, findings=findings)


async def _begun(services: Services, experiment: Experiment) -> Experiment:
    async with services.store.transaction(experiment.tenant_id):
        changed = await experiment_changes.begun(services.store, experiment)
    if changed is None:
        raise LeaseLostError(experiment.id)
    await announce_experiment(services.bus, changed[1])
    return changed[0]


async def _recipe(services: Services, experiment: Experiment) -> Recipe | None:
    tenant_id, wanted = experiment.tenant_id, experiment.architecture_id
    found = await gathered(
        services, tenant_id, [wanted], lambda store, ids: architectures.get_many(store, tenant_id, ids)
    )
    if wanted not in found:
        return None
    return recipe_of(found[wanted].architecture, experiment.load, experiment.overrides, experiment.variant)


async def _found(services: Services, experiment: Experiment, recipe: Recipe) -> str:
    """Do what is left to do, and put all of it together."""
    warmup, number = await services.crew.run(laid_out, recipe)
    await do_parts(services, experiment, recipe, warmup, number)
    parts = await experiment_changes.parts(services.store, experiment)
    if len(parts) != number:  # they are gone with the experiment
        raise LeaseLostError(experiment.id)
    return await services.crew.run(concluded, recipe, warmup, parts, services.price)
