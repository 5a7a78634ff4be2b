"""How likely and how bad a failure mode is in one network: probability per run, severity, targets."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from windtunnel.domain.architectures import AgentRole, Architecture, NetworkAgent, Tool
from windtunnel.domain.failures import (
    FailureCategory,
    FailureMode,
    FailureModeDefinition,
    FaultUnit,
    Inject,
    Severity,
    likelihood_of,
)
from windtunnel.knowledge import Book
from windtunnel.planning.features import features_of
from windtunnel.planning.shape import Shape, shape_of

_BOOST_PER_STRUCTURE = 0.5
_BOOST_PER_CONCEPT = 0.75
_BOOST_MAX = 5.0
_OPPORTUNITIES_MAX = 12
_SEMANTIC = "mast_"
_PLAIN = frozenset({AgentRole.HUMAN, AgentRole.INTEGRATION, AgentRole.MEMORY})

_SEVERITIES = (Severity.LOW, Severity.MEDIUM, Severity.HIGH, Severity.CRITICAL)
_BASE_SEVERITY: dict[Inject, int] = {
    Inject.ERROR: 1, Inject.LATENCY: 0, Inject.OUTAGE_WINDOW: 2, Inject.TRUNCATE: 1, Inject.CORRUPT: 1,
    Inject.WRONG_OUTPUT: 1, Inject.LOOP: 1, Inject.SKIP: 1, Inject.DROP: 1, Inject.DUPLICATE: 1, Inject.BLOCK: 2,
    Inject.OVERLOAD: 1, Inject.HIJACK: 2, Inject.EXFILTRATE: 2,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Expectation:
    """A failure mode weighed for one network. `hits` names the triggers that were found."""

    definition: FailureModeDefinition
    probability: float
    boost: float
    hits: tuple[str, ...]
    targets: tuple[str, ...]
    tool: str | None
    severity: Severity


def failure_mode_for(
    book: Book, definition: FailureModeDefinition | str, architecture: Architecture, target: str | None = None
) -> FailureMode:
    """The failure mode for any entry of the book in any architecture; an alias acts as its canonical mode.

    `target` is the key of an agent or tool to hit; None lets the nature of the mode choose. Raises KeyError when
    `definition` is a code that the book does not have, or `target` names nothing in the architecture.
    """
    entry = book.definition(definition) if isinstance(definition, str) else definition
    shape = shape_of(architecture)
    weighed = expectation(book, entry.canonical, shape)
    targets, tool = weighed.targets, weighed.tool
    if target is not None:
        targets, tool = _at(architecture, target)
    where = ", ".join(agent.name for agent in architecture.agents if agent.key in targets)
    taken = {mode.key for mode in architecture.failure_modes}
    return FailureMode(
        key=_free_key(entry.code, taken),
        code=entry.code,
        severity=weighed.severity,
        likelihood=likelihood_of(weighed.probability),
        probability=weighed.probability,
        provenance=entry.provenance,
        rationale=f"Injected on request: {entry.title} at {where}.",
        targets=targets,
        target_tool=tool,
        mitigation=entry.mitigations[0],
        detection=entry.signals[0],
        effect=entry.effect,
    )


def expectation(book: Book, code: str, shape: Shape) -> Expectation:
    """One canonical mode weighed for one network."""
    features = features_of(shape)
    return _expect(book, code, shape, features, mean_boost=_mean_boost(book, shape, features))


def expectations(book: Book, shape: Shape) -> dict[str, Expectation]:
    """Every canonical mode of the book weighed for one network."""
    features = features_of(shape)
    total = _mean_boost(book, shape, features)
    return {code: _expect(book, code, shape, features, mean_boost=total) for code in book.triggers}


def _expect(book: Book, code: str, shape: Shape, features: Collection[str], *, mean_boost: float) -> Expectation:
    """P(mode in a run) from its prior, its opportunities and the triggers found.

    The semantic modes share one total, the probability that a run fails at all: the mean boost divides them.
    """
    definition = book.definition(code)
    hits, boost = _boost(book, code, shape, features)
    targets, tool = _targets(definition, shape)
    chance = definition.effect.probability * boost
    if code.startswith(_SEMANTIC):
        probability = chance / mean_boost
    else:
        probability = 1 - (1 - min(chance, 0.5)) ** _opportunities(definition.effect.per, shape, targets)
    return Expectation(
        definition=definition,
        probability=round(min(probability, 0.95), 5),
        boost=boost,
        hits=hits,
        targets=targets,
        tool=tool,
        severity=_severity(definition, shape, targets),
    )


def _boost(book: Book, code: str, shape: Shape, features: Collection[str]) -> tuple[tuple[str, ...], float]:
    """The triggers of a mode that the network and the scenario have, and the factor that they make."""
    triggers = book.triggers[code]
    structure = [name for name in triggers.structure if name in features]
    concepts = [name for name in triggers.concepts if name in shape.concepts]
    boost = 1 + _BOOST_PER_STRUCTURE * len(structure) + _BOOST_PER_CONCEPT * len(concepts)
    return (*structure, *concepts), min(boost, _BOOST_MAX)


def _mean_boost(book: Book, shape: Shape, features: Collection[str]) -> float:
    shares = {code: book.definition(code).effect.probability for code in book.triggers if code.startswith(_SEMANTIC)}
    boosted = sum(share * _boost(book, code, shape, features)[1] for code, share in shares.items())
    return boosted / sum(shares.values())


def _opportunities(per: FaultUnit, shape: Shape, targets: Sequence[str]) -> int:
    thinking = [agent for agent in shape.agents if agent.key in targets and agent.role not in _PLAIN]
    count = {
        FaultUnit.AGENT_RUN: len(thinking),
        FaultUnit.MODEL_CALL: len(thinking),
        FaultUnit.TOOL_CALL: sum(len(agent.tools) for agent in shape.agents if agent.key in targets),
        FaultUnit.EDGE: len(shape.links),
        FaultUnit.HUMAN_TASK: sum(agent.role is AgentRole.HUMAN for agent in shape.agents),
    }.get(per, 1)
    return max(1, min(count, _OPPORTUNITIES_MAX))


def _severity(definition: FailureModeDefinition, shape: Shape, targets: Sequence[str]) -> Severity:
    level = _BASE_SEVERITY[definition.effect.inject]
    writes = any(tool.side_effects and not set(tool.used_by).isdisjoint(targets) for tool in shape.tools)
    harmful = definition.effect.inject in {
        Inject.WRONG_OUTPUT, Inject.CORRUPT, Inject.DUPLICATE, Inject.HIJACK, Inject.SKIP
    }  # fmt: skip
    if writes and harmful:
        level += 1  # published: a deviation in a mutating step ruins the task, in a reading step hardly
    if definition.effect.silent and definition.category is not FailureCategory.MODEL:
        level += 1
    return _SEVERITIES[min(level, 3)]


def _targets(definition: FailureModeDefinition, shape: Shape) -> tuple[tuple[str, ...], str | None]:
    tool = _tool_of(definition, shape)
    if tool is not None:
        return tool.used_by, tool.key
    agents = _agents_of(definition, shape) or list(shape.agents)
    return tuple(agent.key for agent in agents), None


_TOOL_KINDS: dict[str, tuple[str, ...]] = {
    "rag_retrieval_miss": ("vector_search", "legal_search", "web_search"),
    "rag_stale_index": ("vector_search", "legal_search"),
    "asi05": ("code_exec", "ci_cd"),
    "dist_stale_cache": ("inventory", "market_data", "weather", "database"),
    "dist_clock_skew": ("calendar", "booking"),
    "dist_connection_pool_exhaustion": ("database", "crm", "erp"),
    "dist_network_partition": ("iot_sensor",),
    "asi03": ("identity_access",),
}
_WRITES = frozenset(
    {"tool_wrong_side_effect", "tool_policy_violation", "dist_duplicate_delivery", "tool_execution_error", "asi02"}
)


def _tool_of(definition: FailureModeDefinition, shape: Shape) -> Tool | None:
    code = definition.canonical
    kinds = _TOOL_KINDS.get(code)
    if kinds is not None:
        return next((tool for kind in kinds for tool in shape.tools if tool.kind == kind), None)
    if code in _WRITES:
        return max(
            (tool for tool in shape.tools if tool.side_effects), key=lambda tool: tool.service.mean_ms, default=None
        )
    if definition.effect.per is FaultUnit.TOOL_CALL and code.startswith(("tool_api", "tool_network", "tool_partial")):
        remote = [tool for tool in shape.tools if tool.kind != "human_task"]
        return max(remote, key=lambda tool: tool.service.mean_ms, default=None)
    return None


def _agents_of(definition: FailureModeDefinition, shape: Shape) -> list[NetworkAgent]:
    code, per = definition.canonical, definition.effect.per
    agents = list(shape.agents)
    wanted: dict[str, set[AgentRole]] = {
        "human_approval_delay": {AgentRole.HUMAN},
        "human_approval_fatigue": {AgentRole.HUMAN},
        "asi09": {AgentRole.HUMAN},
        "mast_fm_3_3": {AgentRole.CRITIC, AgentRole.GUARDRAIL},
        "tool_wrong_selection": {AgentRole.ROUTER, AgentRole.ORCHESTRATOR},
        "compliance_bias_allocation": {AgentRole.ROUTER, AgentRole.CRITIC},
        "asi06": {AgentRole.MEMORY},
        "dist_lost_update": {AgentRole.MEMORY},
        "memory_growth": {AgentRole.MEMORY},
        "mast_fm_2_4": {AgentRole.ORCHESTRATOR},
    }
    if code in wanted:
        return [agent for agent in agents if agent.role in wanted[code]] or [
            agent for agent in agents if agent.role not in _PLAIN
        ]
    if per is FaultUnit.HUMAN_TASK:
        return [agent for agent in agents if agent.role is AgentRole.HUMAN]
    if per in {FaultUnit.AGENT_RUN, FaultUnit.MODEL_CALL}:
        return [agent for agent in agents if agent.role not in _PLAIN]
    if per is FaultUnit.TOOL_CALL:
        return [agent for agent in agents if agent.tools]
    return agents


def _at(architecture: Architecture, target: str) -> tuple[tuple[str, ...], str | None]:
    for tool in architecture.tools:
        if tool.key == target:
            return tool.used_by, tool.key
    if any(agent.key == target for agent in architecture.agents):
        return (target,), None
    raise KeyError(target)


def _free_key(code: str, taken: set[str]) -> str:
    key, number = code, 2
    while key in taken:
        key, number = f"{code}_{number}", number + 1
    return key
