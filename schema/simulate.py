"""Inputs and payloads of the mutations on scenarios and simulations."""

import strawberry

from schema.digests import plain_digest
from schema.ids import Kind, demand
from schema.info import given
from schema.payloads import Payload
from schema.simulations import Simulation
from windtunnel.domain.simulations import FailureInjection, SimulationStage
from windtunnel.operations.simulate import SimulateRequest


@strawberry.input(one_of=True, description="What to simulate: exactly one of these.")
class ScenarioInput:
    """Words, or something stored."""

    text: str | None = strawberry.field(default=strawberry.UNSET, description="A new scenario in words.")
    scenario_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="A stored scenario; it is planned again."
    )
    architecture_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="An architecture planned or defined before; nothing is planned again."
    )


@strawberry.input(description="What to simulate, and how.")
class SimulateInput:
    """The input of `simulate`."""

    scenario: ScenarioInput = strawberry.field(description="A new scenario in words, or a stored one.")
    environment_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET,
        description="The READY environment to simulate in; its scenarios and architectures can be named, too.",
    )
    package_digest: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="Tie the run to an uploaded package, by its SHA-256 in hex: its declared agents and tools are what "
        "is simulated, and the run can serve as evidence for exactly that package. The scenario says what to put it "
        "through.",
    )
    seed: int | None = strawberry.field(default=strawberry.UNSET, description="Chosen by the server when absent.")
    pace: float | None = strawberry.field(
        default=0, description="Simulated seconds per real second; 0 runs as fast as possible."
    )
    failures: FailureInjection | None = strawberry.field(
        default=FailureInjection.AUTO, description="Which failures the run meets."
    )
    inject_failures: list[str] | None = strawberry.field(
        default=strawberry.UNSET, description="Codes from failureModeCatalogue to inject for certain."
    )
    wait_for: SimulationStage | None = strawberry.field(default=SimulationStage.PLANNED, description="When to answer.")
    idempotency_key: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="The same key and input give the first result again, for 24 hours.",
    )

    def request(self) -> SimulateRequest:
        """The input as plain values; NotFoundError for an id that cannot name anything."""
        scenario, digest = self.scenario, given(self.package_digest)
        return SimulateRequest(
            text=given(scenario.text),
            scenario_id=_raw(Kind.SCENARIO, given(scenario.scenario_id), "scenario", "scenario_id"),
            architecture_id=_raw(Kind.ARCHITECTURE, given(scenario.architecture_id), "scenario", "architecture_id"),
            environment_id=_raw(Kind.ENVIRONMENT, given(self.environment_id), "environment_id"),
            package_digest=None if digest is None else plain_digest(digest),
            seed=given(self.seed),
            pace=self.pace or 0.0,
            failures=self.failures or FailureInjection.AUTO,
            inject_failures=tuple(given(self.inject_failures) or ()),
            wait_for=self.wait_for or SimulationStage.PLANNED,
            idempotency_key=given(self.idempotency_key),
        )


def _raw(kind: Kind, id: strawberry.ID | None, *path: str) -> str | None:
    return None if id is None else demand(kind, id, ("input", *path))


@strawberry.type(description="Outcome of `simulate`.")
class SimulatePayload(Payload):
    """The simulation, or why there is none."""

    simulation: Simulation | None = strawberry.field(default=None, description="The simulation.")


@strawberry.input(description="Which simulation to stop.")
class CancelSimulationInput:
    """The input of `cancelSimulation`."""

    simulation_id: strawberry.ID = strawberry.field(description="A simulation that is not over.")


@strawberry.type(description="Outcome of `cancelSimulation`.")
class CancelSimulationPayload(Payload):
    """The simulation, or why it was not stopped."""

    simulation: Simulation | None = strawberry.field(default=None, description="The simulation, now cancelled.")


@strawberry.input(description="Which scenario to delete.")
class DeleteScenarioInput:
    """The input of `deleteScenario`."""

    scenario_id: strawberry.ID = strawberry.field(description="A scenario; its simulations go with it.")


@strawberry.type(description="Outcome of `deleteScenario`.")
class DeleteScenarioPayload(Payload):
    """The id, or why nothing was deleted."""

    deleted_id: strawberry.ID | None = strawberry.field(default=None, description="Id of the scenario that is gone.")


@strawberry.input(description="Which failure a run under way is to meet.")
class InjectFailureInput:
    """The input of `injectFailure`."""

    simulation_id: strawberry.ID = strawberry.field(description="A simulation that is under way.")
    code: str = strawberry.field(description="A code from failureModeCatalogue.")
    target: str | None = strawberry.field(
        default=strawberry.UNSET, description="Agent or tool key; the server chooses when absent."
    )
    idempotency_key: str | None = strawberry.field(
        default=strawberry.UNSET, description="The same key and input give the first result again, for 24 hours."
    )


@strawberry.type(description="Outcome of `injectFailure`.")
class InjectFailurePayload(Payload):
    """The simulation, or why nothing was injected."""

    simulation: Simulation | None = strawberry.field(default=None, description="The simulation.")
