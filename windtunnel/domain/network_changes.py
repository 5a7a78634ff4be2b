"""What differs between two networks, one of which was edited from the other, in sentences for people."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields

from windtunnel.domain.architectures import Architecture, NetworkAgent, Tool

_OF_AGENTS = ("name", "role", "responsibility", "instructions", "skills", "tools")
_OF_TOOLS = ("name", "kind", "purpose", "side_effects", "data_sensitivity")
_LONG = 40
"""A text that is longer is not told, only that it differs."""


def changes_between(old: Architecture, new: Architecture) -> tuple[str, ...]:
    """Sentences on all that people give of a network; what follows from it, as its failure modes, is left out."""
    return tuple(_changes(old, new))


def _changes(old: Architecture, new: Architecture) -> Iterator[str]:
    if old.summary != new.summary:
        yield "The title is another one."
    yield from _parts("agent", {each.key: each for each in old.agents}, {each.key: each for each in new.agents})
    yield from _parts("tool", {each.key: each for each in old.tools}, {each.key: each for each in new.tools})
    before = {(each.source, each.target, each.kind): each for each in old.links}
    after = {(each.source, each.target, each.kind): each for each in new.links}
    for way, link in before.items():
        if way not in after:
            yield f"The {link.kind} link from {link.source} to {link.target} is gone."
    for way, link in after.items():
        if way not in before:
            yield f"There is a new {link.kind} link from {link.source} to {link.target}."
        elif told := list(_differences(before[way], link, ("label", "condition", "probability"))):
            yield f"The {link.kind} link from {link.source} to {link.target}: {', '.join(told)}."
    for noun, one_points, other_points in (
        ("in", old.entry_points, new.entry_points),
        ("out", old.exit_points, new.exit_points),
    ):
        if set(one_points) != set(other_points):
            yield f"Work goes {noun} at {_listed(other_points)} instead of {_listed(one_points)}."


def _parts(
    noun: str, before: Mapping[str, NetworkAgent | Tool], after: Mapping[str, NetworkAgent | Tool]
) -> Iterator[str]:
    for key in before:
        if key not in after:
            yield f"The {noun} {key} is gone."
    for key, part in after.items():
        if key not in before:
            yield f"There is a new {noun} {key}."
            continue
        former = before[key]
        told = list(_differences(former, part, _OF_AGENTS if isinstance(part, NetworkAgent) else _OF_TOOLS))
        if isinstance(part, NetworkAgent) and isinstance(former, NetworkAgent):
            told += _differences(former.policy, part.policy, [field.name for field in fields(part.policy)])
        if told:
            yield f"The {noun} {key}: {', '.join(told)}."


def _differences(one: object, other: object, names: Sequence[str]) -> Iterator[str]:
    for name in names:
        before, after = getattr(one, name), getattr(other, name)
        if before != after:
            word, was, now = name.replace("_", " "), _shown(before), _shown(after)
            yield f"{word} {now} instead of {was}" if len(was) + len(now) <= 2 * _LONG else f"another {word}"


def _shown(value: object) -> str:
    if isinstance(value, tuple):
        return _listed(value)
    if isinstance(value, bool):
        return "on" if value else "off"
    return "none" if value is None else str(value)


def _listed(values: Sequence[object]) -> str:
    return " and ".join(str(value) for value in values) or "none"
