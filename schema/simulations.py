"""Simulations: one execution of an architecture in simulated time."""

from datetime import datetime, timedelta
from typing import Annotated, Self

import strawberry

from resolvers import architectures, environments, failures, scenarios, simulations, viewers
from schema.architectures import Architecture
from schema.environments import Environment
from schema.events import SimulationEvent
from schema.fields import resolved
from schema.ids import Kind, encode
from schema.info import Info, given, optional
from schema.interpretations import Interpretation
from schema.network import FailureMode
from schema.nodes import Node, finds
from schema.observability import Observability
from schema.pages import Connection
from schema.scenarios import Scenario
from schema.shown_events import show
from schema.viewers import User
from windtunnel.domain import simulations as domain
from windtunnel.domain.errors import ErrorCode
from windtunnel.domain.events import EventKind
from windtunnel.domain.planning import PlannerMode
from windtunnel.domain.simulations import SimulationStatus


@strawberry.type(description="Why a simulation failed.")
class SimulationFailure:
    """Shows `simulations.SimulationFailure`."""

    code: ErrorCode = strawberry.field(description="What kind of failure, for programs.")
    message: str = strawberry.field(description="What went wrong and what to do next, for people.")
    stage: str = strawberry.field(description="Where it failed: planning or simulating.")

    @classmethod
    def of(cls, failure: domain.SimulationFailure) -> Self:
        """The failure as data."""
        return cls(code=failure.code, message=failure.message, stage=failure.stage)


@strawberry.type(description="Some of the stored events of a simulation, in order.")
class SimulationEventPage:
    """A slice of the log."""

    events: list[SimulationEvent] = strawberry.field(description="The events.")
    last_seq: int = strawberry.field(description="How far this page has read: pass it as `after` to read on.")
    has_more: bool = strawberry.field(description="Whether more such events are stored after this page.")


@strawberry.type(description="One execution of an architecture in simulated time, with a seed.")
class Simulation(Node):
    """Shows `simulations.Simulation`."""

    package_digest: str | None = strawberry.field(
        description="The sha256 of the package it is tied to; null when it is tied to none."
    )
    status: SimulationStatus = strawberry.field(description="How it stands.")
    seed: int = strawberry.field(description="The same seed and scenario give the same run (offline planner).")
    planner_mode: PlannerMode = strawberry.field(description="Which planner planned it.")
    created_at: datetime = strawberry.field(description="When it was accepted.")
    started_at: datetime | None = strawberry.field(description="When simulating began; null before.")
    finished_at: datetime | None = strawberry.field(description="When it was over; null before.")
    duration: timedelta | None = strawberry.field(description="Wall-clock time from start to finish; null before.")
    last_seq: int = strawberry.field(
        description="Sequence of the newest stored event; subscribe with this as `after` for live events only."
    )
    narrative: str | None = strawberry.field(description="The story of the run; null until it is over.")
    simulation: strawberry.Private[domain.Simulation]

    @resolved("What it tries out; null when a defined architecture or a package was simulated without words.")
    async def scenario(self, info: Info) -> Scenario | None:
        """Loaded together with those of its neighbours."""
        found = await scenarios.scenario(info.context, self.simulation.scenario_id)
        return optional(Scenario.of, found)

    @resolved("The environment in which it lies; null when it lies in none.")
    async def environment(self, info: Info) -> Environment | None:
        """Loaded together with those of its neighbours."""
        found = await environments.of_simulation(info.context, self.simulation.id)
        return optional(Environment.of, found)

    @resolved("Who started it.")
    async def created_by(self, info: Info) -> User:
        """Loaded together with those of its neighbours."""
        return User.of(await viewers.user(info.context, self.simulation.created_by))

    @resolved("What the Scenario Interpreter understood; null until planned.")
    def interpretation(self) -> Interpretation | None:
        """Stored with the simulation."""
        found = self.simulation.interpretation
        return optional(Interpretation.of, found)

    @resolved("The agent network; null until planned.")
    async def architecture(self, info: Info) -> Architecture | None:
        """Loaded together with those of its neighbours."""
        found = await architectures.architecture(info.context, self.simulation.architecture_id)
        return optional(Architecture.of, found)

    @resolved("Failures this run may meet or met.")
    async def failure_modes(self, info: Info) -> list[FailureMode]:
        """Those of the architecture and those injected beside them, with what the stored events say of each."""
        found = await architectures.architecture(info.context, self.simulation.architecture_id)
        if found is None:
            return []
        network = Architecture.of(found).network(info)
        definition = info.context.services.book.definition
        return [
            FailureMode.of(
                met.mode,
                definition(met.mode.code),
                [network.agents[key] for key in met.mode.targets],
                met.triggered_seqs,
                met.outcome,
            )
            for met in await failures.of_simulation(info.context, self.simulation, found.architecture)
        ]

    @resolved("Simulated telemetry.")
    def observability(self) -> Observability:
        """Read when asked for."""
        return Observability(simulation=self.simulation)

    @resolved("Stored events in order; `after` is a `seq`.")
    async def events(
        self,
        info: Info,
        after: Annotated[int | None, strawberry.argument(description="Only those after this sequence number.")] = 0,
        first: Annotated[int | None, strawberry.argument(description="At most so many, 1 to 1000.")] = 100,
        kinds: Annotated[list[EventKind] | None, strawberry.argument(description="Only these kinds.")] = (
            strawberry.UNSET
        ),
    ) -> SimulationEventPage:
        """Loaded together with those of its neighbours."""
        only = given(kinds)
        page = await simulations.events(
            info.context,
            self.simulation,
            after=after or 0,
            first=100 if first is None else first,
            kinds=None if only is None else frozenset(only),
        )
        return SimulationEventPage(
            events=[show(event) for event in page.events], last_seq=page.last_seq, has_more=page.has_more
        )

    @resolved("Why it failed; null unless it did.")
    def error(self) -> SimulationFailure | None:
        """Stored with the simulation."""
        found = self.simulation.error
        return optional(SimulationFailure.of, found)

    @classmethod
    def of(cls, simulation: domain.Simulation) -> Self:
        """The simulation as data."""
        started, finished = simulation.started_at, simulation.finished_at
        return cls(
            id=encode(Kind.SIMULATION, simulation.id),
            package_digest=simulation.package_digest,
            status=simulation.status,
            seed=simulation.seed,
            planner_mode=simulation.planner_mode,
            created_at=simulation.created_at,
            started_at=started,
            finished_at=finished,
            duration=finished - started if started and finished else None,
            last_seq=simulation.last_seq,
            narrative=simulation.narrative,
            simulation=simulation,
        )


@finds(Kind.SIMULATION)
async def simulation_of(info: Info, raw: str | None) -> Simulation | None:
    """The simulation with this stored id."""
    found = await simulations.simulation(info.context, raw)
    return optional(Simulation.of, found)


@strawberry.type(description="A simulation and its place in the list.")
class SimulationEdge:
    """One item of a connection."""

    cursor: str = strawberry.field(description="Its place, for `after` and `before`.")
    node: Simulation = strawberry.field(description="The simulation.")


@strawberry.type(description="One page of simulations, newest first.")
class SimulationConnection(Connection):
    """Shows a page of `simulations.Simulation`."""

    @resolved("The simulations, each with its cursor.")
    def edges(self) -> list[SimulationEdge]:
        """Every item with its cursor."""
        return [
            SimulationEdge(cursor=cursor, node=Simulation.of(item))
            for cursor, item in zip(self.cursors(), self.page.items, strict=True)
        ]

    @resolved("The simulations.")
    def nodes(self) -> list[Simulation]:
        """Every item."""
        return [Simulation.of(item) for item in self.page.items]
