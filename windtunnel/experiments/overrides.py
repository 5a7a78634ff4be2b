"""Changes to a model by agent or tool key: the form of `overrides` and `variant`."""

from collections.abc import Mapping
from dataclasses import replace
from difflib import get_close_matches
from functools import partial
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic import ValidationError as PydanticError

from windtunnel.domain.errors import ValidationError
from windtunnel.experiments.model import Model
from windtunnel.experiments.network_file import YEAR_MS, HoursEntry, Milliseconds, Share
from windtunnel.experiments.refusals import refusal
from windtunnel.experiments.soundness import check_model
from windtunnel.simulation.network import Node
from windtunnel.simulation.resilience import Breaker, Fallback

OVERRIDES_MAX = 512


class Override(BaseModel):
    """What is different at an agent or tool; what is left out stays as it is. null takes a limit away."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    failure_probability: Share | None = None
    max_attempts: Annotated[int, Field(ge=1, le=30)] | None = None
    timeout_ms: Annotated[float, Field(gt=0, le=YEAR_MS)] | None = None
    backoff_ms: Milliseconds | None = None
    jitter: Share | None = None
    retry_budget: Annotated[float, Field(ge=0, le=100)] | None = None
    circuit_breaker: bool | None = None
    fallback: bool | None = None
    concurrency: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    mean_ms: Milliseconds | None = None
    cv: Annotated[float, Field(ge=0, le=100)] | None = None
    hours: HoursEntry | None = None


class _Overrides(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    nodes: Annotated[dict[str, Override], Field(max_length=OVERRIDES_MAX)]


def overridden(model: Model, given: Mapping[str, Any], *, path: tuple[str, ...] = ("input", "overrides")) -> Model:
    """The model with overrides `{"nodes": {KEY: {"max_attempts": 3, ...}}}`; KEY is an agent or a tool.

    Raises ValidationError, with the path to the value to blame, for what is not known or out of range.
    """
    try:
        overrides = _Overrides.model_validate(given, strict=None)
    except PydanticError as error:
        raise refusal(error, path, _Overrides) from None
    for key, override in overrides.nodes.items():
        if key not in model.owners:
            near = get_close_matches(key[:80], model.owners, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"it has {', '.join(model.owners[:8])}."
            raise ValidationError(
                f"No agent or tool of the network has the key {key[:80]!r}: {hint}",
                rule="unknown_node",
                path=(*path, "nodes", key),
            )
        model = model.changed([key], partial(_changed, override))
    check_model(model)
    return model


def _changed(override: Override, node: Node) -> Node:
    """The node with what was given, given nulls included."""
    given = override.model_fields_set
    service = node.service
    if override.mean_ms is not None:
        service = replace(service, mean_ms=override.mean_ms)
    if override.cv is not None:
        service = replace(service, cv=override.cv)
    return replace(
        node,
        service=service,
        servers=override.concurrency or node.servers,
        failure_probability=_or(override.failure_probability, node.failure_probability),
        max_attempts=override.max_attempts or node.max_attempts,
        backoff_ms=_or(override.backoff_ms, node.backoff_ms),
        jitter=_or(override.jitter, node.jitter),
        timeout_ms=override.timeout_ms if "timeout_ms" in given else node.timeout_ms,
        retry_budget=override.retry_budget if "retry_budget" in given else node.retry_budget,
        breaker=node.breaker if override.circuit_breaker is None else Breaker() if override.circuit_breaker else None,
        fallback=node.fallback if override.fallback is None else Fallback(service) if override.fallback else None,
        hours=(None if override.hours is None else override.hours.working()) if "hours" in given else node.hours,
    )


def _or(given: float | None, otherwise: float) -> float:
    return otherwise if given is None else given
