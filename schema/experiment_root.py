"""What can be read, done and followed of experiments, and networks by hand."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Annotated

import strawberry

from resolvers import architectures, experiments
from schema.architectures import Architecture
from schema.experiment_verbs import (
    CancelExperimentInput,
    CancelExperimentPayload,
    RunExperimentInput,
    RunExperimentPayload,
)
from schema.experiments import Experiment, ExperimentConnection, ExperimentEvent, ExperimentFilter, experiment_of
from schema.fields import mutation, resolved, subscription
from schema.ids import Kind, demand, raw_of
from schema.info import Info, given
from schema.network_inputs import DefineArchitectureInput, DefineArchitecturePayload
from schema.pages import After, Before, First, Last, counts, page_request
from windtunnel.domain.experiments import ExperimentFilter as EveryExperiment
from windtunnel.domain.permissions import Action

_INPUT = strawberry.argument(description="What to do, in full.")


@strawberry.type(description="What can be read of experiments.")
class ExperimentQuery:
    """One field for each thing or list of things."""

    @resolved("One experiment; null when there is none that you may see.")
    async def experiment(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="Its global id.")]
    ) -> Experiment | None:
        """By global id."""
        return await experiment_of(info, raw_of(Kind.EXPERIMENT, id))

    @resolved("Experiments, newest first.")
    async def experiments(
        self,
        info: Info,
        *,
        first: First = strawberry.UNSET,
        after: After = strawberry.UNSET,
        last: Last = strawberry.UNSET,
        before: Before = strawberry.UNSET,
        filter: Annotated[
            ExperimentFilter | None, strawberry.argument(description="Only those that meet these conditions.")
        ] = strawberry.UNSET,
    ) -> ExperimentConnection:
        """A page of the tenant's experiments."""
        request = page_request(given(first), given(after), given(last), given(before), counted=counts(info))
        conditions = given(filter)
        wanted = conditions.wanted() if conditions else EveryExperiment()
        return ExperimentConnection(page=await experiments.page(info.context, request, wanted))


@strawberry.type(description="What can be done with experiments, and networks by hand.")
class ExperimentMutation:
    """One field for each verb."""

    @mutation(
        Action.DEFINE_ARCHITECTURE,
        "Draw a network by hand, or edit a planned one: validated like a planned one, and immutable like it. The "
        "failures that it can meet are predicted.",
    )
    async def define_architecture(
        self, info: Info, input: Annotated[DefineArchitectureInput, _INPUT]
    ) -> DefineArchitecturePayload:
        """To be simulated, or put under load."""
        made = await architectures.define(info.context, input.drawn(), input.origin(), given(input.idempotency_key))
        return DefineArchitecturePayload(architecture=Architecture.of(made))

    @mutation(
        Action.RUN_EXPERIMENT,
        "Many silent replications of an architecture under load, with confidence intervals; with `variant`, a paired "
        "comparison. Answers at once; follow it with `experimentEvents`.",
    )
    async def run_experiment(self, info: Info, input: Annotated[RunExperimentInput, _INPUT]) -> RunExperimentPayload:
        """A worker conducts it."""
        made = await experiments.run(info.context, input.request())
        return RunExperimentPayload(experiment=Experiment.of(made))

    @mutation(Action.CANCEL_EXPERIMENT, "Stop an experiment that is not over; nothing of what was done is kept.")
    async def cancel_experiment(
        self, info: Info, input: Annotated[CancelExperimentInput, _INPUT]
    ) -> CancelExperimentPayload:
        """At once, whoever conducts it."""
        found = await experiments.cancel(info.context, input.raw())
        return CancelExperimentPayload(experiment=Experiment.of(found))


@strawberry.type(description="What can be followed of experiments.")
class ExperimentSubscription:
    """One field for each stream."""

    @subscription(
        Action.WATCH_EXPERIMENT,
        "Progress of an experiment; resumable like simulationEvents. Completes with its result.",
    )
    async def experiment_events(
        self,
        info: Info,
        experiment_id: Annotated[strawberry.ID, strawberry.argument(description="The experiment to follow.")],
        after: Annotated[
            int | None,
            strawberry.argument(description="The last sequence number seen; 0 for all, null for only new events."),
        ] = 0,
    ) -> AsyncIterator[ExperimentEvent]:
        """Resumable: pass the last sequence number seen."""
        raw = demand(Kind.EXPERIMENT, experiment_id, ("experiment_id",))
        async with aclosing(experiments.watch(info.context, raw, after)) as events:
            async for event in events:
                yield ExperimentEvent.of(event)
