"""An experiment as files: the report, the result as JSON, and the picture of the network under load."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from windtunnel.domain.architectures import Architecture
from windtunnel.domain.experiments import Findings, Load
from windtunnel.drawing import svg
from windtunnel.drawing.experiment_report import Studied as Reported
from windtunnel.drawing.experiment_report import experiment_report
from windtunnel.drawing.findings import heats_of
from windtunnel.experiments.drawn import as_modelled, drawn
from windtunnel.experiments.model import Model
from windtunnel.experiments.rendering import as_json
from windtunnel.knowledge import load_book


@dataclass(frozen=True, slots=True)
class Base:
    """What is put under load: a model with a title, and the architecture and words that it was made from, if any."""

    title: str
    model: Model
    architecture: Architecture | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class Variant:
    """What it is compared with, and what is different, in words; `is_other` for another network altogether."""

    model: Model
    changes: tuple[str, ...]
    is_other: bool = False
    architecture: Architecture | None = None


@dataclass(frozen=True, slots=True)
class Studied:
    """An experiment that is over, and the command that repeats it."""

    base: Base
    variant: Variant | None
    load: Load
    findings: Findings
    command: str

    @property
    def words(self) -> tuple[dict[str, str], dict[str, str]]:
        """What people call the agents and tools, by key, and the failure modes, by code."""
        drawings = [self.base.architecture, self.variant.architecture if self.variant else None]
        names: dict[str, str] = {}
        for drawing in filter(None, reversed(drawings)):  # the base last: most is said about it
            names |= {agent.key: agent.name for agent in drawing.agents}
            names |= {tool.key: tool.name for tool in drawing.tools}
        return names, {code: definition.title for code, definition in load_book().definitions.items()}


def changes_of(given: Mapping[str, Any]) -> tuple[str, ...]:
    """Overrides by key in words: `writer: concurrency 8, max attempts 3`."""
    return tuple(
        f"{key}: " + ", ".join(f"{name.replace('_', ' ')} {_plain(value)}" for name, value in override.items())
        for key, override in given["nodes"].items()
        if override
    )


def files(studied: Studied, elapsed_s: float) -> dict[str, str]:
    """The files of `--out` by name."""
    base, variant = studied.base, studied.variant
    architecture = base.architecture or drawn(base.model)
    other = None
    if variant is not None:
        origin = variant.architecture if variant.is_other else base.architecture
        other = as_modelled(origin, variant.model) if origin else drawn(variant.model)
    _, titles = studied.words
    reported = Reported(
        base.title,
        base.text,
        architecture,
        studied.load,
        studied.findings,
        studied.command,
        other,
        variant.changes if variant else (),
    )
    result = as_json(studied.load, studied.findings, elapsed_s)
    return {
        "report.html": experiment_report(reported, titles=titles),
        "network.svg": svg(architecture, heats=heats_of(studied.findings.base)) + "\n",
        "result.json": json.dumps(result, ensure_ascii=False, indent=1) + "\n",
    }


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
