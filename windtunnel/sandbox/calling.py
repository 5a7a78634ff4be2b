"""Functions and health commands of a package, called in its sandbox; whatever comes of it is a typed value."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, NoReturn

from windtunnel.domain.confinement import Limit
from windtunnel.sandbox.box import Sandbox
from windtunnel.sandbox.interpreter import ISOLATED
from windtunnel.sandbox.outcome import Outcome
from windtunnel.sandbox.telling import cleaned, too_much, why, why_with_last_lines

_HARNESS = Path(__file__).parent / "inside" / "harness.py"
_REF = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*(\.[A-Za-z_]\w*)*", re.ASCII)


class CallFailure(StrEnum):
    """Why a call gave no answer.

    - NOT_FOUND: the package has no such module or function.
    - RAISED: the function raised an exception.
    - BAD_OUTPUT: what it returned is no dict, or cannot be written as JSON.
    - LIMIT_EXCEEDED: it broke a limit.
    - CRASHED: its process ended without an answer.
    """

    NOT_FOUND = "NOT_FOUND"
    RAISED = "RAISED"
    BAD_OUTPUT = "BAD_OUTPUT"
    LIMIT_EXCEEDED = "LIMIT_EXCEEDED"
    CRASHED = "CRASHED"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a function returned."""

    output: dict[str, Any]
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """Why it returned nothing. `message` is for whoever made the package; `breach` is the limit that was broken."""

    failure: CallFailure
    message: str
    breach: Limit | None
    outcome: Outcome | None


@dataclass(frozen=True, slots=True)
class Health:
    """Whether a package is healthy; if not, `message` says what its command did."""

    healthy: bool
    message: str
    outcome: Outcome


async def call(
    sandbox: Sandbox,
    package: Path,
    ref: str,
    given: Mapping[str, Any],
    *,
    wall_s: float,
    env: Mapping[str, str] | None = None,
) -> Answer | NoAnswer:
    """Call `module.path:function` of the package with a dict; the function returns one.

    `package` is one of the sandbox's `ro_paths`. Raises SandboxError when nothing was run.
    """
    if not _REF.fullmatch(ref):
        return NoAnswer(CallFailure.NOT_FOUND, "A reference reads module.path:function.", None, None)
    command = (*ISOLATED, "-c", _HARNESS.read_text("utf-8"), str(package), ref)
    stdin = json.dumps(given, allow_nan=False).encode()
    outcome = await sandbox.run(command, cwd=package, stdin=stdin, env=env, wall_s=wall_s)
    if outcome.breach:
        return NoAnswer(CallFailure.LIMIT_EXCEEDED, why(outcome, sandbox.limits, wall_s), outcome.breach, outcome)
    if outcome.exit_status != 0 or not outcome.stdout:
        return NoAnswer(CallFailure.CRASHED, why(outcome, sandbox.limits, wall_s), None, outcome)
    return _read(sandbox, outcome, wall_s)


async def check_health(
    sandbox: Sandbox, package: Path, command: Sequence[str], *, timeout_s: float, env: Mapping[str, str] | None = None
) -> Health:
    """Run the health command of a package, with its directory as working directory; exit status 0 is healthy.

    Raises SandboxError when nothing was run.
    """
    outcome = await sandbox.run(command, cwd=package, env=env, wall_s=timeout_s)
    if outcome.succeeded:
        return Health(True, "", outcome)
    return Health(False, why_with_last_lines(outcome, sandbox, timeout_s), outcome)


def _read(sandbox: Sandbox, outcome: Outcome, wall_s: float) -> Answer | NoAnswer:
    try:
        answer = json.loads(outcome.stdout, parse_constant=_refuse)
        json.dumps(answer, ensure_ascii=False).encode("utf-8")  # half a surrogate pair can be read, but not be kept
        if isinstance(answer, dict) and isinstance(answer.get("output"), dict):
            return Answer(answer["output"], outcome)
        failure, message = str(answer["failure"]), cleaned(str(answer["message"]), sandbox)
        if failure == "MEMORY":
            breach = Limit.MEMORY
            message = too_much(breach, sandbox.limits, wall_s)
            return NoAnswer(CallFailure.LIMIT_EXCEEDED, message, breach, outcome)
        return NoAnswer(CallFailure(failure), message, None, outcome)
    except (ValueError, TypeError, KeyError, RecursionError):  # the package has written into the answer
        return NoAnswer(CallFailure.BAD_OUTPUT, "What it wrote is not the answer of a function.", None, outcome)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)
