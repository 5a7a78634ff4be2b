"""Experiments and networks by hand: reading, asking for, cancelling and following them."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from resolvers.context import Context
from resolvers.simulations import check_after
from windtunnel.domain.experiments import Experiment, ExperimentEvent, ExperimentFilter
from windtunnel.domain.pages import Page, PageRequest
from windtunnel.operations.cancel_experiment import cancel_experiment
from windtunnel.operations.run_experiment import ExperimentRequest, run_experiment
from windtunnel.operations.watch_experiment import watch_experiment
from windtunnel.storage import experiments as stored


async def experiment(context: Context, id: str | None) -> Experiment | None:
    """The experiment of the viewer's tenant, None when there is none."""
    loader = context.loaders.experiments  # also without an id, only for the signed-in
    return None if id is None else await loader.load(id)


async def page(context: Context, request: PageRequest, wanted: ExperimentFilter) -> Page[Experiment]:
    """Experiments, newest first."""
    return await stored.page(context.services.store, context.tenant_id, request, wanted)


async def run(context: Context, request: ExperimentRequest) -> Experiment:
    """A new experiment, which waits for a worker."""
    return await run_experiment(context.services, context.signed_in(), request)


async def cancel(context: Context, id: str) -> Experiment:
    """Stop an experiment that is not over."""
    return await cancel_experiment(context.services, context.signed_in(), id)


async def watch(context: Context, id: str, after: int | None) -> AsyncGenerator[ExperimentEvent, None]:
    """How an experiment goes on after `after`, up to its end; None for `after`: live events only."""
    check_after(after or 0)
    async with aclosing(watch_experiment(context.services, context.signed_in(), id, after)) as events:
        async for event in events:
            yield event
