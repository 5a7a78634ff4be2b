"""Which loads an experiment may have, and how much work it may be."""

from windtunnel.domain.errors import ValidationError
from windtunnel.domain.experiments import Load
from windtunnel.domain.policy import (
    EXPERIMENT_ATTEMPTS_MAX,
    EXPERIMENT_ATTEMPTS_TOTAL_MAX,
    EXPERIMENT_RATE_MAX,
    EXPERIMENT_RATE_MIN,
    EXPERIMENT_REPLICATIONS_MAX,
    EXPERIMENT_TASKS_MAX,
    EXPERIMENT_WORK_MAX,
    SEED_MAX,
)
from windtunnel.experiments.model import Model
from windtunnel.experiments.soundness import attempts_per_task
from windtunnel.experiments.study import PROBES


def check_load(load: Load) -> None:
    """Raise ValidationError for the first number out of its range; `path` names the input."""
    for name, value, most in (
        ("replications", load.replications, EXPERIMENT_REPLICATIONS_MAX),
        ("tasks", load.tasks, EXPERIMENT_TASKS_MAX),
    ):
        if not 1 <= value <= most:
            raise ValidationError(
                f"{name} is {value:,}; allowed: 1 to {most:,}.", rule="out_of_range", path=("input", name)
            )
    if load.replications * load.tasks > EXPERIMENT_WORK_MAX:
        raise ValidationError(
            f"{load.replications:,} replications of {load.tasks:,} tasks are {load.replications * load.tasks:,} tasks; "
            f"allowed: {EXPERIMENT_WORK_MAX:,} in all.",
            rule="too_much_work",
            path=("input", "replications"),
        )
    if not EXPERIMENT_RATE_MIN <= load.arrival_rate <= EXPERIMENT_RATE_MAX:
        raise ValidationError(
            f"The arrival rate is {load.arrival_rate:g} a second; allowed: {EXPERIMENT_RATE_MIN:f} to "
            f"{EXPERIMENT_RATE_MAX:,.0f}.",
            rule="out_of_range",
            path=("input", "arrival_rate"),
        )
    if not -SEED_MAX - 1 <= load.seed <= SEED_MAX:
        raise ValidationError(
            f"seed is {load.seed}; allowed: {-SEED_MAX - 1} to {SEED_MAX}.", rule="out_of_range", path=("input", "seed")
        )


def check_work(load: Load, base: Model, variant: Model | None) -> None:
    """Raise ValidationError when these models under this load are more work than others can be expected to wait for."""
    few = min(PROBES, load.replications)
    each = attempts_per_task(base) * load.tasks
    other = attempts_per_task(variant) * load.tasks if variant is not None else 0.0
    if max(each, other) > EXPERIMENT_ATTEMPTS_MAX:
        raise ValidationError(
            f"{load.tasks:,} tasks may make {max(each, other):,.0f} attempts in this network; allowed: "
            f"{EXPERIMENT_ATTEMPTS_MAX:,} in each replication. Take fewer tasks, or let loops end and retries give up "
            "sooner.",
            rule="too_much_work",
            path=("input", "tasks"),
        )
    total = (load.replications + few * (len(base.owners) + len(base.modes))) * each
    if variant is not None:
        total += (load.replications + few * len(variant.owners)) * other
    if total > EXPERIMENT_ATTEMPTS_TOTAL_MAX:
        raise ValidationError(
            f"The tasks of all replications may make {total:,.0f} attempts, what-ifs included; allowed: "
            f"{EXPERIMENT_ATTEMPTS_TOTAL_MAX:,}. Take fewer replications or tasks.",
            rule="too_much_work",
            path=("input", "replications"),
        )
