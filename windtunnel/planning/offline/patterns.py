"""Which orchestration patterns a scenario calls for: the classifier's view, and what the steps themselves show."""

from windtunnel.planning.classifier.model import load_weights, probabilities
from windtunnel.planning.offline.steps import is_gate, steps_of
from windtunnel.planning.reading.reading import Reading

PATTERNS_MAX = 5
_SURE = 2.0
_GATE_AT_LEAST = 0.15
_GATE_WITHOUT_PERSON = 0.7
_GATE = "human_approval_gate"
_SINGLE = "single_agent"


def patterns_of(reading: Reading) -> list[str]:
    """The ids of the patterns, the surest first; at least one, at most five."""
    scores = scores_of(reading)
    ranked = sorted(scores, key=lambda name: (-scores[name], name))
    found = [name for name in ranked if scores[name] >= 1]
    if not found and (reading.found() or reading.found("actions")):
        found = ranked[:1]  # something is done here, but no pattern stands out
    others = [name for name in found if name != _SINGLE]
    return others[:PATTERNS_MAX] or [_SINGLE]


def scores_of(reading: Reading) -> dict[str, float]:
    """Probability over threshold per pattern: 1 and more counts as found."""
    weights = load_weights()
    guess = probabilities(reading)
    scores = {name: guess[name] / edge for name, edge in zip(weights.names, weights.thresholds, strict=True)}
    if any(is_gate(step) for step in steps_of(reading)):
        if guess[_GATE] >= _GATE_AT_LEAST:
            scores[_GATE] = max(scores[_GATE], _SURE)
    elif guess[_GATE] < _GATE_WITHOUT_PERSON and not _has_person(reading):
        scores[_GATE] = min(scores[_GATE], 0.99)
    return scores


def _has_person(reading: Reading) -> bool:
    return bool(reading.found("people") - {"outsider"}) or "human" in reading.found()
