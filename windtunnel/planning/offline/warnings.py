"""What the author should know about the text: instructions in it, little information, an unknown language."""

from windtunnel.domain.architectures import PlanningWarning
from windtunnel.domain.policy import ARCHITECTURE_MAX_AGENTS
from windtunnel.planning.offline.counts import most_agents_in
from windtunnel.planning.reading.language import UNKNOWN
from windtunnel.planning.reading.lexicon import FULL
from windtunnel.planning.reading.orders import has_orders
from windtunnel.planning.reading.reading import Reading

LOW_CONFIDENCE = 0.3
_SHORT_WORDS = 4


def warnings_of(reading: Reading, confidence: float) -> list[PlanningWarning]:
    """The warnings that the text itself gives rise to."""
    found = []
    if has_orders(reading.text):
        found.append(
            PlanningWarning(
                "INSTRUCTION_LIKE_TEXT",
                "Part of the text reads like instructions to the planner. It was treated as data and not followed.",
            )
        )
    if is_short(reading):
        found.append(
            PlanningWarning(
                "LOW_INFORMATION", "The text is very short. Say who does what, in which order, and what comes out."
            )
        )
    asked = most_agents_in(reading)
    if asked > ARCHITECTURE_MAX_AGENTS:
        found.append(
            PlanningWarning(
                "COMPLEXITY_LIMIT",
                f"The text asks for {asked:,} agents; at most {ARCHITECTURE_MAX_AGENTS} are drawn, and equal ones are "
                "copies of one.",
            )
        )
    if confidence < LOW_CONFIDENCE:
        found.append(
            PlanningWarning(
                "LOW_CONFIDENCE",
                "Little of the text could be interpreted. Check the network, and answer the clarifying questions.",
            )
        )
    if reading.language not in FULL and reading.language != UNKNOWN:
        found.append(
            PlanningWarning(
                "LANGUAGE",
                f"The text is probably in a language ({reading.language}) that is understood only in part.",
            )
        )
    return found


def is_short(reading: Reading) -> bool:
    """True when there is too little text to plan from."""
    solid = sum(len(word.form) for clause in reading.clauses for word in clause.words if word.solid)
    return reading.word_count <= _SHORT_WORDS and solid < 12
