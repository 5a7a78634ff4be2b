"""An interpretation: what was understood of a scenario's words."""

from dataclasses import dataclass

from pydantic import TypeAdapter


@dataclass(frozen=True, slots=True)
class Interpretation:
    """What the Scenario Interpreter understood. `confidence` is 0 to 1."""

    goal: str
    domain: str
    actors: tuple[str, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    constraints: tuple[str, ...]
    assumptions: tuple[str, ...]
    confidence: float


_INTERPRETATION = TypeAdapter(Interpretation)


def interpretation_to_json(interpretation: Interpretation) -> str:
    """As stored with a simulation."""
    return _INTERPRETATION.dump_json(interpretation).decode()


def interpretation_from_json(data: str | bytes) -> Interpretation:
    """The reverse of `interpretation_to_json`."""
    return _INTERPRETATION.validate_json(data)
