"""The agent: one ticket in, its urgency and its team out. Works without a model, so that it can be tried anywhere."""

from triage.words import team_of, urgency_of


def run(input: dict) -> dict:
    """Sort one ticket, `{"subject": "...", "text": "..."}`; missing parts count as empty."""
    text = f"{input.get('subject', '')}\n{input.get('text', '')}"
    found = urgency_of({"text": text})
    return {"urgency": found["urgency"], "team": team_of(text), "because": found["because"]}
