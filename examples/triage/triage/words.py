"""What the words of a ticket tell."""

URGENT = ("down", "outage", "cannot log in", "data loss", "security", "urgent", "charged twice")
CALM = ("question", "feature", "wish", "typo", "thank")
TEAMS = {
    "billing": ("invoice", "charged", "refund", "payment"),
    "security": ("security", "phishing", "password", "leak"),
    "operations": ("down", "outage", "slow", "timeout", "error"),
}


def urgency_of(input: dict) -> dict:
    """How urgent a text is: `high`, `normal` or `low`, and the words that say so."""
    text = str(input.get("text", "")).lower()
    urgent = [word for word in URGENT if word in text]
    calm = [word for word in CALM if word in text]
    urgency = "high" if urgent else "low" if calm else "normal"
    return {"urgency": urgency, "because": urgent or calm}


def team_of(text: str) -> str:
    """The team that should read a text first."""
    text = text.lower()
    return next((team for team, words in TEAMS.items() if any(word in text for word in words)), "support")
