"""What people may read of a run: short, and without the host's paths."""

import sys

from windtunnel.domain.confinement import Limit, Limits
from windtunnel.sandbox.box import HOME_INSIDE, Sandbox
from windtunnel.sandbox.outcome import Outcome

MESSAGE_MAX_CHARS = 1_000
MIB = 1024 * 1024


def cleaned(text: str, sandbox: Sandbox) -> str:
    """The text without the paths that only the host has, and not longer than a message is."""
    shortened = text[: MESSAGE_MAX_CHARS * 4]
    for package in map(str, sandbox.ro_paths):
        shortened = shortened.replace(f"{package}/", "").replace(package, "package")
    for path, name in ((str(sandbox.root), "~"), (HOME_INSIDE, "~"), (sys.base_prefix, "python")):
        shortened = shortened.replace(path, name)
    printable = "".join(char if char.isprintable() or char == "\n" else " " for char in shortened)
    return printable if len(printable) <= MESSAGE_MAX_CHARS else f"{printable[: MESSAGE_MAX_CHARS - 1]}…"


def why(outcome: Outcome, limits: Limits, wall_s: float) -> str:
    """Why a run under these limits did not succeed, in a sentence about "it"."""
    if outcome.breach is not None:
        return too_much(outcome.breach, limits, wall_s)
    if outcome.exit_status is None:
        return "It was ended from outside."
    if outcome.exit_status < 0:
        return f"It was ended by signal {-outcome.exit_status}."
    return f"It ended with exit status {outcome.exit_status}."


def too_much(breach: Limit, limits: Limits, wall_s: float) -> str:
    """What a run did that broke this limit, in a sentence about "it"."""
    return {
        Limit.MEMORY: f"It used more than {limits.memory_bytes / MIB:,.4g} MiB of memory.",
        Limit.CPU: f"It used more than {limits.cpu_s:,.4g} seconds of CPU time.",
        Limit.WALL: f"It did not end within {wall_s:,.4g} seconds.",
        Limit.FILES: f"It kept more than {limits.files:,} files.",
        Limit.OUTPUT: f"It wrote more than {limits.output_bytes / MIB:,.4g} MiB of output.",
        Limit.PROCESSES: f"It had more than {limits.processes:,} processes and threads.",
        Limit.DISK: f"It kept more than {limits.disk_bytes / MIB:,.4g} MiB in its directory.",
    }[breach]
