"""What of a package is tried: its health command, its card, its entry point and its tools, one after the other."""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

from windtunnel.domain.confinement import Limit
from windtunnel.domain.exercises import Call, CallKind, CallResult
from windtunnel.domain.policy import PACKAGE_EXERCISE_MAX_S, PACKAGE_RUN_MAX_S
from windtunnel.packages.manifest import EntrypointKind, Manifest, PackagedTool, PackagedToolKind
from windtunnel.sandbox.box import Sandbox
from windtunnel.sandbox.calling import Answer, call, check_health
from windtunnel.sandbox.outcome import Outcome
from windtunnel.sandbox.telling import why

CARD_PATH = "agent-card.json"
NO_NETWORK = "It is somewhere else, and there is no network in a sandbox."
NO_MODEL = "It asks a model, and there is none in a sandbox."
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{6,}")

Turn = Callable[[], AbstractAsyncContextManager[None]]
"""Waits until there is room on this host for one more run, which lasts as long as the context."""


@dataclass(frozen=True, slots=True)
class Trial:
    """A package in a sandbox, ready to be tried; `words` and `seed` are of the simulation that it is tried for."""

    sandbox: Sandbox
    directory: Path
    manifest: Manifest
    words: str
    seed: int
    variables: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Attempt:
    kind: CallKind
    name: str
    make: Callable[[float], Awaitable[Call]]


async def try_all(trial: Trial, turn: Turn, calls: list[Call]) -> None:
    """Try everything in order, to the first limit that is broken; what came of it is added to `calls` one by one.

    Raises SandboxError when something cannot be run.
    """
    left = PACKAGE_EXERCISE_MAX_S
    for attempt in _attempts(trial):
        if left <= 0:
            message = f"All of them together did not end within {PACKAGE_EXERCISE_MAX_S:g} seconds."
            calls.append(Call(attempt.kind, attempt.name, CallResult.LIMIT_EXCEEDED, message, Limit.WALL))
            return
        async with turn():
            begun = asyncio.get_running_loop().time()
            calls.append(await attempt.make(left))
            left -= asyncio.get_running_loop().time() - begun
        if calls[-1].limit is not None:
            return


def wall_of(manifest: Manifest) -> float:
    """What one run of the package may take, in seconds."""
    wanted = manifest.limits.wall_seconds if manifest.limits else None
    return min(PACKAGE_RUN_MAX_S, wanted or PACKAGE_RUN_MAX_S)


def _attempts(trial: Trial) -> Iterator[_Attempt]:
    yield _Attempt(CallKind.HEALTH, "", partial(_health, trial))
    if CARD_PATH in trial.manifest.files:
        yield _Attempt(CallKind.CARD, "", partial(_card, trial))
    yield _Attempt(CallKind.ENTRY_POINT, "", partial(_entry_point, trial))
    for tool in trial.manifest.tools:
        yield _Attempt(CallKind.TOOL, tool.id, partial(_tool, trial, tool))


async def _health(trial: Trial, left_s: float) -> Call:
    health = trial.manifest.health
    wall_s = min(health.timeout_s, PACKAGE_RUN_MAX_S, left_s)
    seen = await check_health(trial.sandbox, trial.directory, health.command, timeout_s=wall_s, env=trial.variables)
    result = CallResult.OK if seen.healthy else CallResult.UNHEALTHY
    return _ended(Call(CallKind.HEALTH, "", result, _shown(seen.message)), seen.outcome)


async def _card(trial: Trial, _: float) -> Call:
    """Nothing is run for it: whoever wants to know the agent reads it, and has to be able to."""
    try:
        card = json.loads(await asyncio.to_thread((trial.directory / CARD_PATH).read_bytes))
    except (ValueError, RecursionError):
        card = None
    if isinstance(card, dict):
        return Call(CallKind.CARD, "", CallResult.OK, output_digest=_digest(card))
    return Call(CallKind.CARD, "", CallResult.BAD_OUTPUT, f"{CARD_PATH} is no JSON object.")


async def _entry_point(trial: Trial, left_s: float) -> Call:
    entry = trial.manifest.entrypoint
    if entry.kind is EntrypointKind.PYTHON_MODULE:
        return await _called(trial, Call(CallKind.ENTRY_POINT, "", CallResult.OK), entry.ref, left_s)
    if entry.kind is EntrypointKind.COMMAND:
        return await _commanded(trial, (entry.ref, *entry.args), left_s)
    message = NO_MODEL if entry.kind is EntrypointKind.OPENAI_AGENTS else NO_NETWORK
    return Call(CallKind.ENTRY_POINT, "", CallResult.NOT_RUN, message)


async def _tool(trial: Trial, tool: PackagedTool, left_s: float) -> Call:
    if tool.kind is not PackagedToolKind.FUNCTION:
        return Call(CallKind.TOOL, tool.id, CallResult.NOT_RUN, NO_NETWORK)
    return await _called(trial, Call(CallKind.TOOL, tool.id, CallResult.OK), tool.ref, left_s)


async def _called(trial: Trial, made: Call, ref: str, left_s: float) -> Call:
    wall_s = min(wall_of(trial.manifest), left_s)
    answer = await call(trial.sandbox, trial.directory, ref, _given(trial, made), wall_s=wall_s, env=trial.variables)
    if isinstance(answer, Answer):
        return _ended(replace(made, output_digest=_digest(answer.output)), answer.outcome)
    failed = replace(made, result=CallResult(answer.failure.value), message=_shown(answer.message))
    return _ended(failed, answer.outcome)


async def _commanded(trial: Trial, command: tuple[str, ...], left_s: float) -> Call:
    """An entry point that is a program: it is told on stdin what a function is called with."""
    made, wall_s = Call(CallKind.ENTRY_POINT, "", CallResult.OK), min(wall_of(trial.manifest), left_s)
    stdin = json.dumps(_given(trial, made)).encode()
    outcome = await trial.sandbox.run(command, cwd=trial.directory, stdin=stdin, env=trial.variables, wall_s=wall_s)
    if not outcome.succeeded:
        made = replace(made, result=CallResult.CRASHED, message=why(outcome, trial.sandbox.limits, wall_s))
    return _ended(made, outcome)


def _given(trial: Trial, made: Call) -> dict[str, Any]:
    """What a function is called with, in offline mode: the same for the same simulation."""
    told = {"mode": "offline", "purpose": made.kind.value, "text": trial.words, "seed": trial.seed}
    return told | {"tool": made.name} if made.name else told


def _ended(made: Call, outcome: Outcome | None) -> Call:
    """The call with what it used, and with the limit that it broke."""
    if outcome is None:
        return made
    made = replace(made, cpu_ms=round(outcome.usage.cpu_s * 1000))
    if outcome.breach is None and made.result is not CallResult.LIMIT_EXCEEDED:
        return made
    return replace(made, result=CallResult.LIMIT_EXCEEDED, limit=outcome.breach or Limit.MEMORY)


def _digest(output: Mapping[str, Any]) -> str:
    return sha256(json.dumps(output, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _shown(message: str) -> str:
    """Without what is another number in every run."""
    return _ADDRESS.sub("0x…", message)
