"""Which orchestration patterns a scenario calls for."""

from windtunnel.planning.offline.steps import is_gate, steps_of
from windtunnel.planning.reading.reading import Reading

PATTERNS_MAX = 5

_RULES: dict[str, tuple[dict[str, float], float]] = {
    "router_triage": ({"route": 1.0, "kinds": 0.3, "escalate": 0.3}, 0.9),
    "supervisor_workers": ({"delegate": 1.0, "team": 0.4}, 0.9),
    "parallel_fan_out": ({"parallel": 1.0, "each": 0.4, "aggregate": 0.5}, 0.9),
    "evaluator_optimizer": ({"until": 0.5, "again": 0.6, "improve": 0.5, "review": 0.6}, 0.9),
    "debate_voting": ({"debate": 1.0, "vote": 1.0}, 0.9),
    "hierarchical": ({"hierarchy": 1.0}, 0.9),
    "blackboard": ({"shared_board": 1.0}, 0.9),
    "human_approval_gate": ({"approve": 0.9, "human": 0.4, "wait": 0.3}, 0.9),
    "rag": ({"corpus": 0.7, "answer": 0.3, "search": 0.2, "cite": 0.4}, 0.9),
    "planner_executor": ({"plan": 0.9, "replan": 0.6}, 0.9),
    "event_driven_monitor": ({"monitor": 0.7, "alert": 0.4, "schedule": 0.7, "whenever": 0.3, "realtime": 0.4}, 0.9),
    "guardrail": ({"guard": 0.7, "sensitive": 0.4, "untrusted": 0.5, "fraud": 0.3}, 0.9),
    "saga_transaction": ({"undo": 0.8, "transaction": 0.4}, 0.9),
    "code_sandbox": ({"code": 0.7, "sandbox": 0.5}, 0.9),
    "peer_negotiation": ({"negotiate": 0.9, "partner": 0.5}, 0.9),
}


def patterns_of(reading: Reading) -> list[str]:
    """The ids of the patterns, the surest first; at least one, at most five."""
    found = reading.found()
    scores: dict[str, float] = {}
    for pattern, (weights, threshold) in _RULES.items():
        score = sum(weight for concept, weight in weights.items() if concept in found)
        if score >= threshold:
            scores[pattern] = score
    steps = steps_of(reading)
    if any(is_gate(step) for step in steps):
        scores["human_approval_gate"] = 2.0
    if len(steps) >= 3:
        scores["sequential_pipeline"] = 0.9 + 0.1 * len(steps) * ("then" in found)
    if not scores:
        return ["sequential_pipeline" if len(steps) > 1 else "single_agent"]
    return sorted(scores, key=lambda pattern: -scores[pattern])[:PATTERNS_MAX]
