"""Which orchestration patterns a scenario calls for: the classifier's view, and what the steps themselves show."""

from windtunnel.planning.classifier.model import load_weights, probabilities
from windtunnel.planning.offline.steps import Doer, is_gate, steps_of
from windtunnel.planning.reading.reading import Reading

PATTERNS_MAX = 5
_SEQUENCE_STEPS = 3
_GATE = 0.9
_SEQUENCE = 0.5
_SINGLE = "single_agent"
_PIPELINE = "sequential_pipeline"
_SURE = 1.0


def patterns_of(reading: Reading) -> list[str]:
    """The ids of the patterns, the surest first; at least one, at most five."""
    scores = scores_of(reading)
    found = [name for name in sorted(scores, key=lambda name: (-scores[name], name)) if scores[name] >= _SURE]
    others = [name for name in found if name != _SINGLE]
    if others:
        return others[:PATTERNS_MAX]
    return [_PIPELINE if len(steps_of(reading)) > 1 else _SINGLE]


def scores_of(reading: Reading) -> dict[str, float]:
    """Probability over threshold per pattern: 1 and more counts as found."""
    weights = load_weights()
    guess = probabilities(reading)
    scores = {name: guess[name] / float(edge) for name, edge in zip(weights.patterns, weights.thresholds, strict=True)}
    steps = steps_of(reading)
    if any(is_gate(step) for step in steps):
        scores["human_approval_gate"] = max(scores["human_approval_gate"], _GATE / 0.4)
    doing = [step for step in steps if step.doer is Doer.AGENT and not step.conditional]
    if len(doing) >= _SEQUENCE_STEPS and guess[_PIPELINE] >= 0.1:
        scores[_PIPELINE] = max(scores[_PIPELINE], _SURE)
    return scores
