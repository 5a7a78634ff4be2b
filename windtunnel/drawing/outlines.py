"""The outline of an agent's card by its role."""

from math import sqrt

from windtunnel.domain.architectures import AgentRole
from windtunnel.drawing.geometry import Rect, number

RADIUS = 11.0
TIP = 14.0
"""How far the tips of a hexagon stand out."""


def outline(role: AgentRole, box: Rect) -> str:
    """The `d` attribute of the shape: a stadium for people, a hexagon for routers, cut corners for guardrails, ..."""
    match role:
        case AgentRole.HUMAN:
            return _rounded(box, _stadium(box))
        case AgentRole.ROUTER:
            return _polygon(box, TIP, box.height / 2)
        case AgentRole.GUARDRAIL:
            return _polygon(box, 13.0, 13.0)
        case AgentRole.MEMORY:
            return _drum(box)
        case _:
            return _rounded(box, RADIUS)


def inset(role: AgentRole, box: Rect, y: float) -> float:
    """How far inside the left and right edges of `box` the outline runs at height `y`."""
    away = abs(y - box.center.y)
    if role is AgentRole.ROUTER:
        return TIP * min(away / (box.height / 2), 1.0)
    if role is AgentRole.HUMAN:
        radius = _stadium(box)
        into = min(max(away - (box.height / 2 - radius), 0.0), radius)
        return radius - sqrt(radius * radius - into * into)
    return 0.0


def _stadium(box: Rect) -> float:
    return min(box.height / 2, 32.0)


def _rounded(box: Rect, radius: float) -> str:
    x, y, right, bottom = _edges(box)
    r = number(radius)
    inner = [number(value) for value in (box.x + radius, box.x + box.width - radius)]
    sides = [number(value) for value in (box.y + radius, box.y + box.height - radius)]
    return (
        f"M{inner[0]} {y}H{inner[1]}A{r} {r} 0 0 1 {right} {sides[0]}V{sides[1]}A{r} {r} 0 0 1 {inner[1]} {bottom}"
        f"H{inner[0]}A{r} {r} 0 0 1 {x} {sides[1]}V{sides[0]}A{r} {r} 0 0 1 {inner[0]} {y}Z"
    )


def _polygon(box: Rect, across: float, down: float) -> str:
    """A rectangle whose corners are cut by (across, down)."""
    x, y, right, bottom = _edges(box)
    inner = [number(value) for value in (box.x + across, box.x + box.width - across)]
    upper, lower = (number(value) for value in (box.y + down, box.y + box.height - down))
    return f"M{inner[0]} {y}H{inner[1]}L{right} {upper}V{lower}L{inner[1]} {bottom}H{inner[0]}L{x} {lower}V{upper}Z"


def _drum(box: Rect) -> str:
    x, _, right, _ = _edges(box)
    top, foot = number(box.y + 6), number(box.y + box.height - 6)
    half = number(box.width / 2)
    return f"M{x} {top}A{half} 6 0 0 1 {right} {top}V{foot}A{half} 6 0 0 1 {x} {foot}Z"


def _edges(box: Rect) -> tuple[str, str, str, str]:
    return number(box.x), number(box.y), number(box.x + box.width), number(box.y + box.height)
