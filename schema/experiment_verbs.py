"""Inputs and payloads of the mutations on experiments."""

from typing import Any

import strawberry
from strawberry.scalars import JSON

from schema.digests import plain_digest
from schema.experiments import Experiment
from schema.ids import Kind, demand
from schema.info import given
from schema.payloads import Payload
from windtunnel.domain.experiments import Load
from windtunnel.operations.run_experiment import ExperimentRequest

_USUAL = Load(0)
_FORM = (
    '`{"nodes": {KEY: {"failure_probability": 0.1, "max_attempts": 3, "timeout_ms": 2000, "backoff_ms": 200, '
    '"circuit_breaker": true, "concurrency": 4}}}`; KEY is an agent or a tool, and what is left out stays as it is.'
)


def _plain(value: JSON | None) -> Any:
    """The JSON value that a client gave; whatever it is, it is looked at later."""
    return value


@strawberry.input(description="What to put under which load.")
class RunExperimentInput:
    """The input of `runExperiment`."""

    architecture_id: strawberry.ID = strawberry.field(description="An architecture planned or defined before.")
    package_digest: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="Tie it to an uploaded package, by its SHA-256 in hex: the architecture must be that of a "
        "simulation of the package, and the experiment can serve as evidence for exactly that package.",
    )
    environment_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET,
        description="The READY environment that it belongs to, and is deleted with. That of its architecture if that "
        "lies in one.",
    )
    replications: int | None = strawberry.field(
        default=_USUAL.replications, description="How often the load is repeated: 1 to 10,000."
    )
    tasks: int | None = strawberry.field(
        default=_USUAL.tasks,
        description="Tasks offered in each replication: 1 to 100,000; at most 50 million in all replications, and "
        "fewer where each makes very many attempts.",
    )
    arrival_rate: float | None = strawberry.field(
        default=_USUAL.arrival_rate,
        description="Tasks that arrive per simulated second, on average, as a Poisson stream: 0.000001 to 1,000,000.",
    )
    seed: int | None = strawberry.field(
        default=strawberry.UNSET, description="The same seed gives the same result; chosen by the server when absent."
    )
    overrides: JSON | None = strawberry.field(
        default=strawberry.UNSET, description=f"Overrides of the base by agent or tool key: {_FORM}"
    )
    variant: JSON | None = strawberry.field(
        default=strawberry.UNSET,
        description="Overrides of the other side of a paired what-if, on top of those of the base, in the same form.",
    )
    idempotency_key: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="The same key and input give the first result again, for 24 hours.",
    )

    def request(self) -> ExperimentRequest:
        """The input as plain values; NotFoundError for an id that cannot name anything."""
        environment_id, digest = given(self.environment_id), given(self.package_digest)
        return ExperimentRequest(
            architecture_id=demand(Kind.ARCHITECTURE, self.architecture_id, ("input", "architecture_id")),
            package_digest=None if digest is None else plain_digest(digest),
            environment_id=None
            if environment_id is None
            else demand(Kind.ENVIRONMENT, environment_id, ("input", "environment_id")),
            replications=_USUAL.replications if self.replications is None else self.replications,
            tasks=_USUAL.tasks if self.tasks is None else self.tasks,
            arrival_rate=_USUAL.arrival_rate if self.arrival_rate is None else self.arrival_rate,
            seed=given(self.seed),
            overrides=_plain(given(self.overrides)),
            variant=_plain(given(self.variant)),
            idempotency_key=given(self.idempotency_key),
        )


@strawberry.type(description="Outcome of `runExperiment`.")
class RunExperimentPayload(Payload):
    """The experiment, or why there is none."""

    experiment: Experiment | None = strawberry.field(
        default=None, description="The experiment: follow it with `experimentEvents`."
    )


@strawberry.input(description="Which experiment to stop.")
class CancelExperimentInput:
    """The input of `cancelExperiment`."""

    experiment_id: strawberry.ID = strawberry.field(description="One that is not over.")

    def raw(self) -> str:
        """The stored id; NotFoundError for one that cannot name an experiment."""
        return demand(Kind.EXPERIMENT, self.experiment_id, ("input", "experiment_id"))


@strawberry.type(description="Outcome of `cancelExperiment`.")
class CancelExperimentPayload(Payload):
    """The experiment, or why it is as before."""

    experiment: Experiment | None = strawberry.field(default=None, description="The experiment, as it is now.")
