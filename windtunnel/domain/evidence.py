"""Evidence: what simulated exactly the package that is to be deployed, and what that is worth by now."""

from windtunnel.domain.environments import Environment
from windtunnel.domain.errors import ValidationError
from windtunnel.domain.exercises import CallResult
from windtunnel.domain.experiments import Estimate, Experiment, ExperimentStatus, careful
from windtunnel.domain.reviews import Evidence
from windtunnel.domain.simulations import Simulation, SimulationStatus


def is_stale(evidence: Evidence, production_digest: str) -> bool:
    """Whether production is configured otherwise by now than the environment was in which the package ran."""
    return evidence.snapshot_digest is not None and evidence.snapshot_digest != production_digest


def proves(simulation: Simulation, package_digest: str) -> bool:
    """Whether it ran this very package to its end."""
    return simulation.status is SimulationStatus.SUCCEEDED and simulation.package_digest == package_digest


def summary_of(simulation: Simulation, failures: int, environment: Environment | None) -> str:
    """What came of it, for reviewers who may find it deleted later; `failures` were met on the way."""
    met = "no failure" if not failures else "1 failure" if failures == 1 else f"{failures:,} failures"
    parts = [f"Simulated to its end with seed {simulation.seed}, {simulation.last_seq:,} events; {met} met."]
    if environment is not None:
        parts.append(f"In the environment {environment.name!r}, a copy of production.")
    exercise = simulation.exercise
    if exercise is not None and exercise.reason is None:
        well = sum(call.result is CallResult.OK for call in exercise.calls)
        parts.append(f"Of its own code {well} of {len(exercise.calls)} tries went well.")
    return " ".join(parts)


def confirms(experiment: Experiment, package_digest: str) -> bool:
    """Whether it simulated this very package, and has its result."""
    return experiment.status is ExperimentStatus.SUCCEEDED and experiment.package_digest == package_digest


def summary_of_experiment(experiment: Experiment, environment: Environment | None) -> str:
    """What was found, for reviewers; also whether numbers of the package's network were overridden."""
    load, findings = experiment.load, experiment.findings
    parts = [f"{load.replications:,} replications of {load.tasks:,} tasks with seed {load.seed}."]
    if findings is not None:
        success, slow = findings.base.success_rate, findings.base.latency_p95_ms
        parts.append(
            f"Success {_percent(success)}; 95 % of the tasks within {slow.mean:,.0f} ms.{careful(findings.base)}"
        )
    if experiment.overrides is not None:
        parts.append("Numbers of the network were overridden.")
    if environment is not None:
        parts.append(f"In the environment {environment.name!r}, a copy of production.")
    return " ".join(parts)


def _percent(estimate: Estimate) -> str:
    return f"{estimate.mean:.1%} ({estimate.low:.1%} to {estimate.high:.1%})"


def no_evidence(place: int) -> ValidationError:
    """What is at this place of the list cannot be shown: whatever it is, nothing more is told of it."""
    return ValidationError(
        "This is no evidence: it is not a simulation or experiment of your tenant that ran exactly this package to its"
        " end.",
        rule="no_evidence",
        path=("input", "evidence_ids", str(place)),
    )
