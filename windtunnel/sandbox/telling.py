"""What people may read of a run: short, without the host's paths and without what looks like a secret."""

import re
import sys

from windtunnel.domain.confinement import Limit, Limits
from windtunnel.sandbox.box import HOME_INSIDE, Sandbox
from windtunnel.sandbox.outcome import Outcome

MESSAGE_MAX_CHARS = 1_000
_LOOKED_AT_CHARS = 4 * MESSAGE_MAX_CHARS
MIB = 1024 * 1024
LAST_LINES = 3
"""Of each stream; the last line tells most, those before it where it happened."""
LINE_MAX_CHARS = 140
HIDDEN = "[hidden]"

_GIVEN = re.compile(
    r"""((?:passw(?:or)?d|pwd|secret|token|credential|authorization|(?:api|private|access)[_-]?key)[\w.-]{0,40}["']?"""
    r"""\s{0,3}[=:]\s{0,3})(?:bearer\s)?\S+""",
    re.IGNORECASE,
)
_KNOWN = re.compile(
    r"(?:A[KS]IA|gh[opusr]_|glpat-|sk-|[rs]k_live_|xox[a-z]-|pypi-|eyJ)[\w.+/=-]{8,}|(?<=://)[^\s/:@]{0,64}:[^\s/@]{1,128}(?=@)"
)
"""What is given to something that is called like a secret, and secrets of a known form."""


def cleaned(text: str, sandbox: Sandbox) -> str:
    """The text without the paths that only the host has and what looks like a secret, not longer than a message is."""
    return _cut(_hidden(text[:_LOOKED_AT_CHARS], sandbox), MESSAGE_MAX_CHARS)


def why_with_last_lines(outcome: Outcome, sandbox: Sandbox, wall_s: float) -> str:
    """As `why`, and the last that it wrote to stdout and stderr, cleaned."""
    lines = [*_last_lines(outcome.stdout, sandbox), *_last_lines(outcome.stderr, sandbox)]
    said = f' The last that it wrote: "{" / ".join(lines)}".' if lines else ""
    return f"{why(outcome, sandbox.limits, wall_s)}{said}"


def _last_lines(written: bytes, sandbox: Sandbox) -> list[str]:
    text = written[-LAST_LINES * _LOOKED_AT_CHARS :].decode("utf-8", "replace")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return [_cut(_hidden(line[:_LOOKED_AT_CHARS], sandbox), LINE_MAX_CHARS) for line in lines[-LAST_LINES:]]


def _hidden(text: str, sandbox: Sandbox) -> str:
    for package in map(str, sandbox.ro_paths):
        text = text.replace(f"{package}/", "").replace(package, "package")
    for path, name in ((str(sandbox.root), "~"), (HOME_INSIDE, "~"), (sys.base_prefix, "python")):
        text = text.replace(path, name)
    text = _KNOWN.sub(HIDDEN, _GIVEN.sub(rf"\1{HIDDEN}", text))
    return "".join(char if char.isprintable() or char == "\n" else " " for char in text)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


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
