"""Environments: which are accepted, and what can be done with one at a given moment."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from windtunnel.domain.durations import format_duration
from windtunnel.domain.environments import LIVE_STATUSES, Ending, Environment, EnvironmentLimits, EnvironmentStatus
from windtunnel.domain.errors import ConflictError, ErrorCode, NotFoundError, ValidationError
from windtunnel.domain.policy import (
    ENVIRONMENT_LIFETIME_S,
    ENVIRONMENT_MAX_CPU,
    ENVIRONMENT_MAX_LIFETIME_S,
    ENVIRONMENT_MAX_MEMORY_MB,
    ENVIRONMENT_MAX_SIMULATIONS,
    ENVIRONMENT_MAX_STORAGE_MB,
    ENVIRONMENT_MIN_CPU,
    ENVIRONMENT_MIN_LIFETIME_S,
    ENVIRONMENT_MIN_MEMORY_MB,
    ENVIRONMENT_MIN_STORAGE_MB,
    ENVIRONMENT_NAME_MAX_CHARS,
)
from windtunnel.domain.scenarios import check_storable

MIN_LIFETIME = timedelta(seconds=ENVIRONMENT_MIN_LIFETIME_S)
MAX_LIFETIME = timedelta(seconds=ENVIRONMENT_MAX_LIFETIME_S)
LIFETIME = timedelta(seconds=ENVIRONMENT_LIFETIME_S)
_LIFETIME_PATH = ("input", "lifetime")
_RANGES: dict[str, tuple[float, float, str]] = {
    "cpu": (ENVIRONMENT_MIN_CPU, ENVIRONMENT_MAX_CPU, "cores"),
    "memory_mb": (ENVIRONMENT_MIN_MEMORY_MB, ENVIRONMENT_MAX_MEMORY_MB, "MiB of memory"),
    "storage_mb": (ENVIRONMENT_MIN_STORAGE_MB, ENVIRONMENT_MAX_STORAGE_MB, "MiB of storage"),
    "max_simulations": (1, ENVIRONMENT_MAX_SIMULATIONS, "simulations at once"),
}
_NEXT = {
    EnvironmentStatus.PROVISIONING: "Wait until it is READY, which takes seconds.",
    EnvironmentStatus.READY: "It runs already: pause or delete it, or go on using it.",
}


@dataclass(frozen=True, slots=True)
class LimitsRequest:
    """What an environment is to be allowed; None: the usual."""

    cpu: float | None = None
    memory_mb: int | None = None
    storage_mb: int | None = None
    max_simulations: int | None = None


def check_name(name: str) -> str:
    """What an environment is called, without blanks around it. Raises ValidationError."""
    trimmed = name.strip()
    if not 1 <= len(trimmed) <= ENVIRONMENT_NAME_MAX_CHARS:
        raise ValidationError(
            f"An environment has a name of 1 to {ENVIRONMENT_NAME_MAX_CHARS} characters.",
            rule="environment_name_length",
            path=("input", "name"),
        )
    check_storable(trimmed, ("input", "name"))
    return trimmed


def check_lifetime(lifetime: timedelta) -> timedelta:
    """The lifetime in whole milliseconds, or ValidationError."""
    if not MIN_LIFETIME <= lifetime <= MAX_LIFETIME:
        raise ValidationError(
            "An environment lives PT10M to P7D: ten minutes to seven days.",
            rule="lifetime_out_of_range",
            path=_LIFETIME_PATH,
        )
    return lifetime - lifetime % timedelta(milliseconds=1)


def check_limits(wanted: LimitsRequest) -> EnvironmentLimits:
    """What is wanted, with the usual for what nobody asks for. Raises ValidationError."""
    given = {name: value for name in _RANGES if (value := getattr(wanted, name)) is not None}
    for name, value in given.items():
        least, most, of_what = _RANGES[name]
        if not least <= value <= most:  # NaN is not
            raise ValidationError(
                f"An environment may use {least:g} to {most:g} {of_what}.",
                rule="limit_out_of_range",
                path=("input", "limits", name),
            )
    return EnvironmentLimits(**given)


def check_extension(environment: Environment, lifetime: timedelta, now: datetime) -> None:
    """Raise ValidationError when the environment would become older than any may."""
    last = environment.created_at + MAX_LIFETIME
    if now + lifetime > last:
        left = format_duration(timedelta(seconds=(last - now) // timedelta(seconds=1)))
        raise ValidationError(
            "An environment lives seven days at most, counted from when it was asked for. Of these"
            f" {left} are left: extend it to less than that.",
            rule="lifetime_too_long",
            path=_LIFETIME_PATH,
        )


def demand(environment: Environment, now: datetime, statuses: Collection[EnvironmentStatus]) -> None:
    """Raise ConflictError unless the environment is in one of these states and its time is not over.

    Its code is ENVIRONMENT_EXPIRED also once nothing of the environment is left, and ENVIRONMENT_PAUSED where it would
    have to be READY. One that a person has deleted was deleted, also when its time would be over by now.
    """
    allowed = [status.value for status in EnvironmentStatus if status in statuses]
    status = environment.status
    if environment.ended_by is not Ending.PERSON and (
        environment.ended_by is Ending.EXPIRY or now >= environment.expires_at
    ):
        raise ConflictError(
            "The environment's time is over. Provision another one.",
            current=status.value,
            allowed=allowed,
            code=ErrorCode.ENVIRONMENT_EXPIRED,
        )
    if status in statuses:
        return
    code = ErrorCode.ENVIRONMENT_PAUSED if status is EnvironmentStatus.PAUSED else None
    raise ConflictError(_why(environment), current=status.value, allowed=allowed, code=code)


def not_found(environment_id: str) -> NotFoundError:
    """There is no such environment, or it belongs to someone else."""
    return NotFoundError("There is no such environment.", resource_id=environment_id)


def _why(environment: Environment) -> str:
    if environment.status is EnvironmentStatus.PAUSED:
        return "The environment is paused. Resume it first."
    if environment.status in LIVE_STATUSES:
        return f"The environment is {environment.status}. {_NEXT[environment.status]}"
    if environment.ended_by is Ending.FAILURE:
        return f"The environment has failed and is taken away ({environment.status}). Provision another one."
    return f"The environment was deleted ({environment.status}). Provision another one."
