"""Colours of every picture, light and dark, and the style sheet that applies them."""

from collections.abc import Mapping

from windtunnel.domain.architectures import AgentRole, LinkKind
from windtunnel.domain.failures import FailureOutcome, Severity

FONT = "system-ui,-apple-system,'Segoe UI',Roboto,'Noto Sans',Ubuntu,'Helvetica Neue',Arial,sans-serif"

COLORS: Mapping[str, tuple[str, str]] = {
    "page": ("#f6f7fb", "#0d1220"),
    "card": ("#ffffff", "#182034"),
    "chip": ("#f1f3f9", "#232d47"),
    "ink": ("#131a2b", "#eef1fa"),
    "soft": ("#55607a", "#a7b1ca"),
    "rule": ("#d5dae7", "#344060"),
    "faint": ("#e8ebf3", "#222b42"),
    "accent": ("#4338ca", "#a5b4fc"),
    "on": ("#ffffff", "#0d1220"),
    "orchestrator": ("#4338ca", "#a5b4fc"),
    "planner": ("#7c3aed", "#c4b5fd"),
    "router": ("#a16207", "#fcd34d"),
    "worker": ("#0369a1", "#7dd3fc"),
    "specialist": ("#0f766e", "#5eead4"),
    "critic": ("#a21caf", "#f0abfc"),
    "guardrail": ("#be123c", "#fda4af"),
    "memory": ("#475569", "#cbd5e1"),
    "human": ("#c2410c", "#fdba74"),
    "integration": ("#15803d", "#86efac"),
    "handoff": ("#4338ca", "#a5b4fc"),
    "call": ("#0369a1", "#7dd3fc"),
    "data": ("#64708c", "#97a3c0"),
    "event": ("#0f766e", "#5eead4"),
    "feedback": ("#b45309", "#fbbf24"),
    "critical": ("#b91c1c", "#fca5a5"),
    "high": ("#c2410c", "#fdba74"),
    "medium": ("#856404", "#fde047"),
    "low": ("#47658a", "#b6c8e4"),
    "unrecovered": ("#b91c1c", "#fca5a5"),
    "degraded": ("#b45309", "#fbbf24"),
    "recovered": ("#15803d", "#86efac"),
    "writes": ("#b45309", "#fbbf24"),
    "variant": ("#b45309", "#fbbf24"),
    "heat0": ("#ffffff", "#182034"),
    "heat1": ("#fff3cf", "#3d3620"),
    "heat2": ("#ffe0a3", "#5c4418"),
    "heat3": ("#ffc58d", "#7d4513"),
    "heat4": ("#ff9f8a", "#ad3528"),
}
"""By name, on a light and on a dark page.

Text colours keep a contrast of at least 4.5 to 1 on `page`, `card` and `chip`, lines and icons 3 to 1. On the grounds
of heat stand only `ink` and what is drawn in it.
"""


def color_of(member: AgentRole | LinkKind | Severity | FailureOutcome) -> str:
    """The name of a member's colour."""
    return member.value.lower()


def variables(scope: str) -> str:
    """CSS that defines `--wt-NAME` inside `scope`; a page may override them. Paper is always light."""
    light = ";".join(f"--wt-{name}:{pair[0]}" for name, pair in COLORS.items())
    dark = ";".join(f"--wt-{name}:{pair[1]}" for name, pair in COLORS.items())
    return f"{scope}{{{light}}}\n@media screen and (prefers-color-scheme:dark){{{scope}{{{dark}}}}}\n"


def paint(**properties: str) -> str:
    """CSS declarations with colours by name, e.g. `paint(fill="card")`.

    Each comes twice: readers of SVG that know no CSS variables take the first, light one.
    """
    return ";".join(f"{key}:{COLORS[name][0]};{key}:var(--wt-{name})" for key, name in properties.items())
