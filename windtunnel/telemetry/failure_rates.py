"""Measured failure rates in an architecture's failure modes: each error counts for the mode that it is a sign of."""

import re
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import replace
from enum import Enum

from windtunnel.domain.architectures import AgentRole, Architecture
from windtunnel.domain.failures import CALIBRATED, FailureMode, FaultUnit, Inject, Severity, likelihood_of
from windtunnel.knowledge import Book
from windtunnel.telemetry.fitting import fit_failures
from windtunnel.telemetry.observed import Observed

_RATE_LIMIT = re.compile(r"429|rate.?limit|too.?many|throttl|quota", re.IGNORECASE)
_TIMEOUT = re.compile(r"time.?out|timed.?out|deadline|408|504", re.IGNORECASE)
_AT_AGENTS = frozenset({FaultUnit.MODEL_CALL, FaultUnit.AGENT_RUN, FaultUnit.HUMAN_TASK})
_VISIBLE = frozenset(
    {
        Inject.ERROR, Inject.LATENCY, Inject.OUTAGE_WINDOW, Inject.TRUNCATE, Inject.CORRUPT, Inject.WRONG_OUTPUT,
        Inject.DROP, Inject.BLOCK,
    }
)  # fmt: skip
"""What ends in an error, or in a duration; loops, floods and the like leave neither."""


def with_rates(
    architecture: Architecture, seen: Mapping[str, Observed], book: Book, *, traces: int, source: str
) -> Architecture:
    """The architecture with the rates of the agents and tools in `seen`, by key.

    A measured error is loud: it counts for the mode of that code, for the one that its words are a sign of, or for
    the general one. Loud modes of theirs that never showed are 0 from now on; silent ones stay priors, since spans do
    not show them. `traces` is the number of tasks recorded, for the probability per run.
    """
    tools = {tool.key: tool.used_by for tool in architecture.tools}
    people = {agent.key for agent in architecture.agents if agent.role is AgentRole.HUMAN}
    modes = [part for mode in architecture.failure_modes for part in _parts(mode, architecture, seen)]
    keys = {mode.key for mode in modes}
    for key, observed in seen.items():
        mine = [mode for mode in modes if _is_measured(mode, key, is_tool=key in tools)]
        counts = dict.fromkeys((mode.code for mode in mine), 0)
        for error, count in observed.errors.items():
            code = error if error in counts else _code(error, book, _Nature.of(key, tools, people))
            counts[code] = counts.get(code, 0) + count
        for mode in mine:
            place = modes.index(mode)
            modes[place] = _measured(mode, counts.pop(mode.code, 0), observed.attempts, traces, source)
        for code, count in counts.items():
            new = _new(book, code, key, tools.get(key), keys)
            keys.add(new.key)
            modes.append(_measured(new, count, observed.attempts, traces, source))
    return replace(architecture, failure_modes=tuple(modes))


def _parts(mode: FailureMode, architecture: Architecture, seen: Mapping[str, Observed]) -> Iterator[FailureMode]:
    """A loud mode in parts: one for each agent or tool that was measured, and one for the others."""
    if not _is_loud(mode):
        yield mode
        return
    places = list(_places(mode, architecture))
    measured = [place for place in places if (place[1] or place[0][0]) in seen]
    if not measured:
        yield mode
        return
    others = tuple(
        dict.fromkeys(agent for agents, tool in places if (agents, tool) not in measured for agent in agents)
    )
    if others:
        yield replace(mode, targets=others)
    for place, (agents, tool) in enumerate(measured):
        first = place == 0 and not others
        yield replace(
            mode, key=mode.key if first else f"{mode.key}_{tool or agents[0]}", targets=agents, target_tool=tool
        )


def _places(mode: FailureMode, architecture: Architecture) -> Iterator[tuple[tuple[str, ...], str | None]]:
    """Where a loud mode strikes: agents at their own work, or at one of their tools."""
    if mode.effect.per in _AT_AGENTS:
        yield from (((agent,), None) for agent in mode.targets)
    elif mode.target_tool is not None:
        yield mode.targets, mode.target_tool
    else:
        for tool in architecture.tools:
            users = tuple(agent for agent in mode.targets if agent in tool.used_by)
            if users:
                yield users, tool.key


def _is_loud(mode: FailureMode) -> bool:
    effect = mode.effect
    return (
        (effect.per is FaultUnit.TOOL_CALL or effect.per in _AT_AGENTS)
        and not effect.silent
        and effect.inject in _VISIBLE
    )


def _is_measured(mode: FailureMode, key: str, *, is_tool: bool) -> bool:
    if not _is_loud(mode):
        return False
    if is_tool:
        return mode.target_tool == key
    return mode.effect.per in _AT_AGENTS and mode.targets == (key,)


class _Nature(Enum):
    """What an error can be of. The value is the unit that its modes count in."""

    TOOL = FaultUnit.TOOL_CALL
    PERSON = FaultUnit.HUMAN_TASK
    MODEL = FaultUnit.MODEL_CALL

    @classmethod
    def of(cls, key: str, tools: Container[str], people: Container[str]) -> "_Nature":
        return cls.TOOL if key in tools else cls.PERSON if key in people else cls.MODEL


def _code(error: str, book: Book, nature: _Nature) -> str:
    """The failure mode that an error type is a sign of: itself, when our own simulation wrote it."""
    definition = book.definitions.get(error)
    if definition is not None and definition.effect.per is nature.value and not definition.effect.silent:
        return error
    if nature is _Nature.PERSON:
        return "human_approval_delay"
    if _TIMEOUT.search(error):
        return "tool_api_timeout" if nature is _Nature.TOOL else "llm_timeout"
    if nature is _Nature.TOOL:
        return "tool_execution_error"
    return "llm_rate_limited" if _RATE_LIMIT.search(error) else "llm_server_error"


def _measured(mode: FailureMode, failures: int, attempts: int, traces: int, source: str) -> FailureMode:
    rate = fit_failures(failures, attempts)
    calls = attempts / max(traces, 1)
    per_run = round(min(1.0 - (1.0 - rate.probability) ** calls, 0.95), 5)
    return replace(
        mode,
        probability=per_run,
        likelihood=likelihood_of(per_run),
        provenance=(
            f"{CALIBRATED}: {failures} of {attempts} attempts failed so, {rate.probability:.3g} per call "
            f"(95 % interval {rate.low:.3g} to {rate.high:.3g}); {source}"
        ),
        # What was counted are attempts that ended in an error; how long they take is in the fitted durations.
        effect=replace(mode.effect, inject=Inject.ERROR, probability=rate.probability),
    )


def _new(book: Book, code: str, key: str, used_by: Sequence[str] | None, taken: Container[str]) -> FailureMode:
    """A mode that nobody foresaw and that the spans show."""
    definition = book.definition(code)
    name = f"{code}_{key}"
    while name in taken:
        name += "_"
    return FailureMode(
        key=name,
        code=code,
        severity=Severity.MEDIUM,
        likelihood=likelihood_of(0.0),
        probability=0.0,
        provenance="",
        rationale="Recorded spans show it.",
        targets=(key,) if used_by is None else tuple(used_by),
        target_tool=None if used_by is None else key,
        mitigation=definition.mitigations[0],
        detection=definition.signals[0],
        effect=definition.effect,
    )
