"""What people may read of a run: short, and without the host's paths."""

import sys

from windtunnel.domain.confinement import Limit
from windtunnel.sandbox.box import HOME_INSIDE, Sandbox
from windtunnel.sandbox.outcome import Outcome

MESSAGE_MAX_CHARS = 1_000


def cleaned(text: str, sandbox: Sandbox) -> str:
    """The text without the paths that only the host has, and not longer than a message is."""
    shortened = text[: MESSAGE_MAX_CHARS * 4]
    for package in map(str, sandbox.ro_paths):
        shortened = shortened.replace(f"{package}/", "").replace(package, "package")
    for path, name in ((str(sandbox.root), "~"), (HOME_INSIDE, "~"), (sys.base_prefix, "python")):
        shortened = shortened.replace(path, name)
    printable = "".join(char if char.isprintable() or char == "\n" else " " for char in shortened)
    return printable if len(printable) <= MESSAGE_MAX_CHARS else f"{printable[: MESSAGE_MAX_CHARS - 1]}…"


def why(outcome: Outcome, wall_s: float) -> str:
    """Why a run did not succeed, in a sentence about "it"."""
    if outcome.breach is Limit.WALL:
        return f"It did not end within {wall_s:g} seconds."
    if outcome.breach is not None:
        return f"It broke its limit: {outcome.breach}."
    if outcome.exit_status is None:
        return "It was ended from outside."
    if outcome.exit_status < 0:
        return f"It was ended by signal {-outcome.exit_status}."
    return f"It ended with exit status {outcome.exit_status}."
