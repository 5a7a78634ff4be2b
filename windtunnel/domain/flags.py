"""Feature flags: what can be switched off, and how far a feature that is on has been rolled out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from windtunnel.domain.errors import ValidationError
from windtunnel.domain.people import SLUG_FORM, is_slug
from windtunnel.domain.policy import FLAG_PILOTS_MAX
from windtunnel.domain.viewers import Role


class Flag(StrEnum):
    """What can be switched, by the name that people use."""

    ENVIRONMENTS = "enable-simulation-environments"
    DEPLOYMENT_PIPELINE = "enable-deployment-pipeline"


class RolloutStage(StrEnum):
    """For whom a feature that is on is there. Each stage holds the one before, so that widening takes nothing away.

    - PILOT: for work on the pilot agents, whoever asks. What concerns no agent is not there yet.
    - INTERNAL: also for those who run the tenant (role OPERATOR or ADMIN), on any agent and on none.
    - ALL: for everybody; production.
    """

    PILOT = "PILOT"
    INTERNAL = "INTERNAL"
    ALL = "ALL"


INTERNAL_ROLES = frozenset({Role.OPERATOR, Role.ADMIN})


@dataclass(frozen=True, slots=True)
class FeatureFlag:
    """How a tenant has set a flag. `pilots` are slugs of agents, sorted, each once."""

    name: Flag
    enabled: bool = True
    stage: RolloutStage = RolloutStage.ALL
    pilots: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asks for a feature, and for which agent; None when it concerns no agent in particular."""

    roles: frozenset[Role]
    agent_slug: str | None = None


def evaluate(flag: FeatureFlag, asked: Asked) -> bool:
    """Whether the feature is there for whoever asks."""
    if not flag.enabled:
        return False
    if flag.stage is RolloutStage.ALL:
        return True
    if flag.stage is RolloutStage.INTERNAL and asked.roles & INTERNAL_ROLES:
        return True
    return asked.agent_slug in flag.pilots


def with_defaults(stored: Iterable[FeatureFlag]) -> list[FeatureFlag]:
    """Every flag, in the order of Flag: as stored, or on for everybody."""
    by_name = {flag.name: flag for flag in stored}
    return [by_name.get(name) or FeatureFlag(name) for name in Flag]


def check_name(name: str) -> Flag:
    """The flag of this name, or ValidationError."""
    if name not in Flag.__members__.values():
        raise ValidationError(
            f"There is no flag of this name. There are {', '.join(Flag)}.",
            rule="unknown_flag",
            path=("input", "name"),
        )
    return Flag(name)


def check_pilots(slugs: Sequence[str]) -> tuple[str, ...]:
    """The slugs sorted, each once, or ValidationError. The agents need not exist yet."""
    path = ("input", "pilots")
    if len(slugs) > FLAG_PILOTS_MAX:
        raise ValidationError(
            f"At most {FLAG_PILOTS_MAX} pilot agents can be listed.", rule="too_many_pilots", path=path
        )
    for place, slug in enumerate(slugs):
        if not is_slug(slug):
            raise ValidationError(
                SLUG_FORM,
                rule="bad_slug",
                path=(*path, str(place)),
            )
    return tuple(sorted(set(slugs)))
