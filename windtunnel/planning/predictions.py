"""The failure modes of an architecture: the agent's choice, with the numbers of the book."""

from windtunnel.domain.architectures import PlanningWarning
from windtunnel.domain.failures import FailureMode, likelihood_of
from windtunnel.knowledge import Book
from windtunnel.planning.answers import FailuresAnswer
from windtunnel.planning.failure_model import expectations
from windtunnel.planning.graph_repair import Network
from windtunnel.planning.naming import clean, slug
from windtunnel.planning.offline.failures import choose_failures
from windtunnel.planning.shape import Shape
from windtunnel.planning.tool_kinds import kind_of_tool

_MODES_MAX = 16


def predict(
    answer: FailuresAnswer, network: Network, shape: Shape, book: Book, warnings: list[PlanningWarning]
) -> tuple[FailureMode, ...]:
    """The modes chosen, each once and canonical; codes that the book lacks are dropped with a warning.

    Which modes, whom they hit and why is the agent's word; probability, severity and provenance are the book's.
    """
    weighed = expectations(book, shape)
    by_kind = {tool.kind: tool for tool in shape.tools}
    chosen = answer.failure_modes
    if not any(slug(one.code) in book.definitions for one in chosen):
        chosen = choose_failures(shape, book).failure_modes
    made: dict[str, FailureMode] = {}
    unknown = []
    for one in chosen:
        if slug(one.code) not in book.definitions:
            unknown.append(clean(one.code, 40))
            continue
        code = book.definition(slug(one.code)).canonical
        if code in made or len(made) == _MODES_MAX:
            continue
        expected = weighed[code]
        definition = expected.definition
        tool = by_kind.get(kind_of_tool(one.tool, book) or "") if one.tool else None
        made[code] = FailureMode(
            key=code,
            code=code,
            severity=expected.severity,
            likelihood=likelihood_of(expected.probability),
            probability=expected.probability,
            provenance=definition.provenance,
            rationale=clean(one.rationale) or f"{definition.title} can happen here.",
            targets=tuple(network.keys(one.targets)) or (tool.used_by if tool else expected.targets),
            target_tool=tool.key if tool else expected.tool,
            mitigation=clean(one.mitigation) or definition.mitigations[0],
            detection=clean(one.detection) or definition.signals[0],
            effect=definition.effect,
        )
    if unknown:
        warnings.append(
            PlanningWarning("UNKNOWN_FAILURE_MODE", f"Not in the book and left out: {', '.join(unknown[:5])}.")
        )
    return tuple(made.values())
