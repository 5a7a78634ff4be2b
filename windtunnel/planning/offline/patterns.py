"""Which orchestration patterns a scenario calls for: the classifier's view, and what the steps themselves show."""

from windtunnel.planning.classifier.model import load_weights, probabilities
from windtunnel.planning.offline.steps import Doer, is_gate, steps_of
from windtunnel.planning.reading.reading import Reading

PATTERNS_MAX = 5
_CROWD = 3
_SURE = 2.0
_SEQUENCE_STEPS = 3
_SEQUENCE_AT_LEAST = 0.15
_GATE_WITHOUT_PERSON = 0.7
_GATE = "human_approval_gate"
_FAN = "parallel_fan_out"
_SINGLE = "single_agent"
_PIPELINE = "sequential_pipeline"


def patterns_of(reading: Reading) -> list[str]:
    """The ids of the patterns, the surest first; at least one, at most five."""
    scores = scores_of(reading)
    found = [name for name in sorted(scores, key=lambda name: (-scores[name], name)) if scores[name] >= 1]
    others = [name for name in found if name != _SINGLE]
    if others:
        return others[:PATTERNS_MAX]
    steps = steps_of(reading)
    if any(step.copies >= _CROWD for step in steps):
        return [_FAN]
    return [_PIPELINE if len(steps) > 1 else _SINGLE]


def scores_of(reading: Reading) -> dict[str, float]:
    """Probability over threshold per pattern: 1 and more counts as found."""
    weights = load_weights()
    guess = probabilities(reading)
    scores = {name: guess[name] / float(edge) for name, edge in zip(weights.patterns, weights.thresholds, strict=True)}
    steps = steps_of(reading)
    if any(is_gate(step) for step in steps):
        scores[_GATE] = max(scores[_GATE], _SURE)
    elif guess[_GATE] < _GATE_WITHOUT_PERSON and not _has_person(reading):
        scores[_GATE] = 0.0
    doing = [step for step in steps if step.doer is Doer.AGENT and not step.conditional]
    if len(doing) >= _SEQUENCE_STEPS and guess[_PIPELINE] >= _SEQUENCE_AT_LEAST:
        scores[_PIPELINE] = max(scores[_PIPELINE], 1.0)
    return scores


def _has_person(reading: Reading) -> bool:
    return bool(reading.found("people") - {"outsider"}) or "human" in reading.found()
