"""An experiment in a form that can be sent anywhere, and its parts as bytes: what processes of a crew work on."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from windtunnel.domain.architectures import Architecture, architecture_from_json, canonical_json
from windtunnel.domain.experiments import Load, findings_to_json
from windtunnel.domain.prices import ModelPrice
from windtunnel.experiments.conduct import gathered
from windtunnel.experiments.findings import findings_of
from windtunnel.experiments.from_architecture import model_of
from windtunnel.experiments.loads import check_work
from windtunnel.experiments.measures import packed, unpacked
from windtunnel.experiments.model import Model
from windtunnel.experiments.overrides import overridden
from windtunnel.experiments.soundness import check_model
from windtunnel.experiments.study import Study, study_of
from windtunnel.simulation.engine import prepare_kernel

KERNEL_FROM_TASKS = 30_000
"""Below so many tasks, making the kernel ready takes longer than what it saves."""
_KEPT = 4


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that an experiment depends on. `overrides` and `variant` are JSON, as asked for."""

    architecture: bytes
    load: Load
    overrides: str | None = None
    variant: str | None = None


def recipe_of(
    architecture: Architecture, load: Load, overrides: Mapping[str, Any] | None, variant: Mapping[str, Any] | None
) -> Recipe:
    """The recipe of an experiment with an architecture."""
    return Recipe(canonical_json(architecture), load, _text(overrides), _text(variant))


def models_of(recipe: Recipe) -> tuple[Model, Model | None]:
    """The base, overrides included, and the variant, which is the base with what it changes.

    Raises ValidationError, with the path to what is to blame.
    """
    base = model_of(architecture_from_json(recipe.architecture))
    check_model(base)
    if recipe.overrides is not None:
        base = overridden(base, json.loads(recipe.overrides), path=("input", "overrides"))
    variant = None
    if recipe.variant is not None:
        variant = overridden(base, json.loads(recipe.variant), path=("input", "variant"))
    check_work(recipe.load, base, variant)
    return base, variant


def laid_out(recipe: Recipe) -> tuple[int, int]:
    """How many tasks at the start of each replication are left out, and how many parts there are to be done."""
    _made_ready(recipe.load)
    base, variant = models_of(recipe)
    study = study_of(base, variant, recipe.load)
    return study.warmup, len(study.chunks)


def done(recipe: Recipe, warmup: int, number: int) -> bytes:
    """One part. The bytes depend on nothing but the arguments."""
    _made_ready(recipe.load)
    study = _study(recipe, warmup)
    return packed(study.do(study.chunks[number]))


def concluded(recipe: Recipe, warmup: int, parts: Sequence[bytes], price: ModelPrice | None) -> str:
    """What was found, as JSON, from all parts in order."""
    study = _study(recipe, warmup)
    measures = {chunk: unpacked(data, chunk.count) for chunk, data in zip(study.chunks, parts, strict=True)}
    return findings_to_json(findings_of(study, gathered(study, measures), price))


def warm_up() -> None:
    """Have the kernel ready in this process; it is compiled once per machine, and read from disk after that."""
    preparing = prepare_kernel()
    if preparing is not None:
        preparing.join()


def _made_ready(load: Load) -> None:
    if load.replications * load.tasks >= KERNEL_FROM_TASKS:
        warm_up()


@lru_cache(maxsize=_KEPT)
def _study(recipe: Recipe, warmup: int) -> Study:
    base, variant = models_of(recipe)
    return study_of(base, variant, recipe.load, warmup=warmup)


def _text(value: Mapping[str, Any] | None) -> str | None:
    return None if value is None else json.dumps(value, sort_keys=True)
