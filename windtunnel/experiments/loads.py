"""Which loads an experiment may have."""

from windtunnel.domain.errors import ValidationError
from windtunnel.domain.experiments import Load
from windtunnel.domain.policy import (
    EXPERIMENT_RATE_MAX,
    EXPERIMENT_RATE_MIN,
    EXPERIMENT_REPLICATIONS_MAX,
    EXPERIMENT_TASKS_MAX,
    EXPERIMENT_WORK_MAX,
    SEED_MAX,
)


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
