"""Experiments: many silent replications of an architecture under load, and their pages and events."""

from datetime import datetime
from typing import Self

import strawberry
from strawberry.scalars import JSON
from strawberry.types.lazy_type import LazyType

from resolvers import environments, experiments, viewers
from schema.environments import Environment
from schema.experiment_results import ExperimentDifference, ExperimentResult
from schema.fields import resolved
from schema.ids import Kind, encode, raw_of
from schema.info import Info, given, optional
from schema.nodes import Node, finds, named
from schema.pages import Connection
from schema.simulation_filters import NOTHING
from schema.simulations import SimulationFailure
from schema.viewers import User
from windtunnel.domain import experiments as domain
from windtunnel.domain.errors import ErrorCode
from windtunnel.domain.experiments import ExperimentStatus

STAGE = "simulating"


@strawberry.type(description="How an experiment stood at some time. `seq` starts at 1 and has no gaps.")
class ExperimentEvent:
    """Shows `experiments.ExperimentEvent`."""

    experiment_id: strawberry.ID = strawberry.field(description="The experiment.")
    seq: int = strawberry.field(description="Its number among the experiment's events.")
    at: datetime = strawberry.field(description="When it was stored.")
    status: ExperimentStatus = strawberry.field(description="How the experiment stood then.")
    progress: float = strawberry.field(description="How far it had come, 0 to 1.")

    @classmethod
    def of(cls, event: domain.ExperimentEvent) -> Self:
        """The event as data."""
        return cls(
            experiment_id=encode(Kind.EXPERIMENT, event.experiment_id),
            seq=event.seq,
            at=event.at,
            status=event.status,
            progress=event.progress,
        )


@strawberry.type(
    description="Many silent replications of an architecture under load, with confidence intervals; with a variant, a "
    "paired comparison. The same seed gives the same result."
)
class Experiment(Node):
    """Shows `experiments.Experiment`."""

    package_digest: str | None = strawberry.field(
        description="The sha256 of the package it is tied to; null when it is tied to none."
    )
    status: ExperimentStatus = strawberry.field(description="How it stands.")
    seed: int = strawberry.field(description="The same seed and input give the same result.")
    replications: int = strawberry.field(description="How often the load is repeated.")
    tasks: int = strawberry.field(description="Tasks offered in each replication.")
    arrival_rate: float = strawberry.field(description="Tasks that arrive per simulated second, on average.")
    overrides: JSON | None = strawberry.field(description="What is different from the architecture, as asked for.")
    variant: JSON | None = strawberry.field(
        description="What is different on the other side of a paired what-if, as asked for; null for none."
    )
    progress: float = strawberry.field(description="How far it has come, 0 to 1.")
    last_seq: int = strawberry.field(
        description="Sequence of the newest event; subscribe with this as `after` for live events only."
    )
    result: ExperimentResult | None = strawberry.field(description="What was found; null until it has succeeded.")
    variant_result: ExperimentResult | None = strawberry.field(
        description="What was found of the variant; null until it has succeeded, and without a variant."
    )
    difference: ExperimentDifference | None = strawberry.field(
        description="Variant minus base, paired by common random numbers."
    )
    created_at: datetime = strawberry.field(description="When it was accepted.")
    finished_at: datetime | None = strawberry.field(description="When it was over; null before.")
    error: SimulationFailure | None = strawberry.field(description="Why it failed; null unless it did.")
    source: strawberry.Private[domain.Experiment]

    @resolved("What is simulated.", shown_as=LazyType("Architecture", "schema.architectures"))
    async def architecture(self, info: Info) -> Node:
        """Loaded together with those of its neighbours."""
        return await named(info, Kind.ARCHITECTURE, self.source.architecture_id)

    @resolved("The environment that it belongs to, and ends with; null when it belongs to none.")
    async def environment(self, info: Info) -> Environment | None:
        """Loaded together with those of its neighbours."""
        found = await environments.environment(info.context, self.source.environment_id)
        return optional(Environment.of, found)

    @resolved("Who asked for it.")
    async def created_by(self, info: Info) -> User:
        """Loaded together with those of its neighbours."""
        return User.of(await viewers.user(info.context, self.source.created_by))

    @classmethod
    def of(cls, experiment: domain.Experiment) -> Self:
        """The experiment as data."""
        load, findings, failure = experiment.load, experiment.findings, experiment.failure
        return cls(
            id=encode(Kind.EXPERIMENT, experiment.id),
            package_digest=experiment.package_digest,
            status=experiment.status,
            seed=load.seed,
            replications=load.replications,
            tasks=load.tasks,
            arrival_rate=load.arrival_rate,
            overrides=optional(JSON, experiment.overrides),
            variant=optional(JSON, experiment.variant),
            progress=experiment.progress,
            last_seq=experiment.last_seq,
            result=ExperimentResult.of(findings.base) if findings else None,
            variant_result=ExperimentResult.of(findings.variant) if findings and findings.variant else None,
            difference=ExperimentDifference.of(findings.difference) if findings and findings.difference else None,
            created_at=experiment.created_at,
            finished_at=experiment.finished_at,
            error=SimulationFailure(code=ErrorCode.INTERNAL, message=failure, stage=STAGE) if failure else None,
            source=experiment,
        )


@finds(Kind.EXPERIMENT)
async def experiment_of(info: Info, raw: str | None) -> Experiment | None:
    """The experiment with this stored id."""
    return optional(Experiment.of, await experiments.experiment(info.context, raw))


@strawberry.type(description="An experiment and its place in the list.")
class ExperimentEdge:
    """One item of a connection."""

    cursor: str = strawberry.field(description="Its place, for `after` and `before`.")
    node: Experiment = strawberry.field(description="The experiment.")


@strawberry.type(description="One page of experiments, newest first.")
class ExperimentConnection(Connection):
    """Shows a page of `experiments.Experiment`."""

    @resolved("The experiments, each with its cursor.")
    def edges(self) -> list[ExperimentEdge]:
        """Every item with its cursor."""
        return [
            ExperimentEdge(cursor=cursor, node=Experiment.of(item))
            for cursor, item in zip(self.cursors(), self.page.items, strict=True)
        ]

    @resolved("The experiments.")
    def nodes(self) -> list[Experiment]:
        """Every item."""
        return [Experiment.of(item) for item in self.page.items]


@strawberry.input(description="Which experiments are wanted: all conditions hold together.")
class ExperimentFilter:
    """Conditions on experiments."""

    architecture_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="Those with this architecture."
    )
    statuses: list[ExperimentStatus] | None = strawberry.field(
        default=strawberry.UNSET, description="Those in one of these states."
    )

    def wanted(self) -> domain.ExperimentFilter:
        """The conditions as plain values; an id that names nothing matches nothing."""
        architecture_id, statuses = given(self.architecture_id), given(self.statuses)
        return domain.ExperimentFilter(
            architecture_id=None if architecture_id is None else raw_of(Kind.ARCHITECTURE, architecture_id) or NOTHING,
            statuses=None if statuses is None else frozenset(statuses),
        )
