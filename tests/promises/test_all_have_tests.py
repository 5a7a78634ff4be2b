"""Whatever specification "Agent Deployment Pipeline" promises has a test that says so."""

import ast
from pathlib import Path

PROMISED = {
    *(f"Scenario 1.{number}" for number in range(1, 7)),
    *(f"AC{number}" for number in range(1, 6)),
    "Constraint: approval is required within 24 hours",
    "Constraint: a rollback is available for 30 days",
    "Constraint: 10 versions are retained",
    "Constraint: the review cannot be bypassed",
    "T06",
}


def test_every_promise_is_named_by_a_test() -> None:
    told: list[str] = []
    for path in Path(__file__).parent.glob("test_agent_deployment_*.py"):
        functions = [node for node in ast.parse(path.read_text()).body if isinstance(node, ast.FunctionDef)]
        told += [ast.get_docstring(node) or "" for node in functions if node.name.startswith("test_")]
    assert [promise for promise in sorted(PROMISED) if not any(promise in text for text in told)] == []
