"""Words for people: counted things, and sentences that come from elsewhere."""


def counted(number: int, what: str) -> str:
    """The number with what it counts, e.g. `1 agent`, `1,200 agents`."""
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


def sentence(text: str) -> str:
    """The text with a full stop, if it ends without one, so that another sentence can follow."""
    trimmed = text.rstrip()
    return trimmed if trimmed.endswith((".", "!", "?", "…")) else f"{trimmed}."
