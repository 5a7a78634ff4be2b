"""Text that addresses the planner instead of describing a system: it is data, and nobody obeys it."""

from collections.abc import Sequence

from windtunnel.planning.reading.clauses import Clause
from windtunnel.planning.reading.words import fold

_ORDERS = (
    "ignore all previous", "ignore previous", "ignore the above", "ignore your instructions", "ignore all instructions",
    "ignore any instructions", "ignore everything above", "ignore all of the above", "ignore the previous",
    "disregard all", "disregard previous", "disregard the above", "disregard your", "disregard any previous",
    "forget your instructions", "forget all previous", "forget everything above", "override your instructions",
    "new instructions", "system prompt", "system message", "reveal your", "print your instructions", "api key",
    "api_key", "you are now", "you are no longer", "developer mode", "jailbreak", "output only", "respond only with",
    "reply only with", "return only json", "do not follow your", "instead of planning", "output an architecture with",
    "zero failure modes", "no failure modes", "mark the security review", "approve the security review",
    "confidence to 1", "confidence 1", "<|im_start|>", "<|system|>", "[inst]", "<<sys>>",
    "ignora las instrucciones", "ignora todas", "ignora lo anterior", "olvida las instrucciones", "olvida todas",
    "prompt del sistema", "ignoriere alle", "ignoriere die", "ignoriere alles", "vergiss alle", "vergiss deine",
    "gib nur",
    "missachte alle", "systemanweisung", "du bist jetzt", "ignore les instructions", "ignorez les instructions",
    "ignorez toutes", "ignore toutes", "oublie les instructions", "oubliez les instructions", "oublie tes instructions",
    "tu es maintenant", "ignore as instrucoes", "ignore todas as", "esqueca as instrucoes", "esqueca todas",
    "ignora le istruzioni", "ignora tutte", "dimentica le istruzioni", "dimentica tutte", "prompt di sistema",
    "忽略之前", "忽略以上", "忽略所有", "忽略上面", "忘记之前", "无视之前", "无视以上", "系统提示", "你现在是",
    "以前の指示を無視", "指示を無視", "これまでの指示", "上記を無視", "指示を忘れ", "システムプロンプト",
)  # fmt: skip


def has_orders(text: str) -> bool:
    """True when the text holds phrases that address the planner instead of describing a system."""
    folded = " ".join(fold(word) for word in text.split())
    return any(phrase in folded for phrase in _ORDERS)


def without_orders(text: str, clauses: Sequence[Clause]) -> list[Clause]:
    """The clauses of the sentences that do not address the planner; one without words when all of them do."""
    if not has_orders(text):
        return list(clauses)
    spans: dict[int, tuple[int, int]] = {}
    for clause in clauses:
        start, _ = spans.get(clause.sentence, (clause.start, clause.end))
        spans[clause.sentence] = (start, clause.end)
    orders = {number for number, (start, end) in spans.items() if has_orders(text[start:end])}
    return [clause for clause in clauses if clause.sentence not in orders] or [Clause("", 0, 0, 0, (), (), ())]
