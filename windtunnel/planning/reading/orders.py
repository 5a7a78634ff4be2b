"""Text that addresses the planner instead of describing a system: it is data, and nobody obeys it."""

from windtunnel.planning.reading.segments import sentences
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
    "negeer alle vorige", "negeer alle eerdere", "negeer de vorige", "negeer het bovenstaande", "negeer je instructies",
    "vergeet alle vorige", "vergeet je instructies", "systeemprompt", "systemprompt", "zignoruj wszystkie poprzednie",
    "zignoruj poprzednie", "ignoruj wszystkie poprzednie", "ignoruj poprzednie", "zapomnij o poprzednich",
    "zapomnij wszystkie", "prompt systemowy", "promptu systemowego", "ignorera alla tidigare", "ignorera tidigare",
    "glöm alla tidigare", "önceki tüm talimatları", "talimatları yok say", "talimatları görmezden gel",
    "talimatları unut", "sistem istemi", "abaikan semua instruksi", "abaikan instruksi", "lupakan semua instruksi",
    "игнорируй все предыдущие", "игнорируй предыдущие", "игнорируйте все предыдущие", "игнорируйте предыдущие",
    "забудь все предыдущие", "забудь предыдущие", "системный промпт", "системного промпта", "ігноруй усі попередні",
    "ігноруй всі попередні", "ігноруй попередні", "ігноруйте попередні", "забудь усі попередні", "системний промпт",
    "تجاهل جميع التعليمات", "تجاهل كل التعليمات", "تجاهل التعليمات", "انس التعليمات", "موجه النظام",
    "निर्देशों को अनदेखा", "निर्देशों को भूल", "सिस्टम प्रॉम्प्ट", "지시를 무시", "지시를 잊", "시스템 프롬프트",
    "以前の指示を無視", "指示を無視", "これまでの指示", "上記を無視", "指示を忘れ", "システムプロンプト",
)  # fmt: skip
_SMUGGLED = {0xE0000 + code: chr(code) for code in range(0x20, 0x7F)}
"""Unicode's tags: letters that models read and nobody sees."""


def has_orders(text: str) -> bool:
    """True when the text holds phrases that address the planner instead of describing a system."""
    folded = _folded(text)
    return any(phrase in folded for phrase in _PHRASES)


def without_orders(text: str) -> str:
    """The text with blanks for the sentences that address the planner, so that everything else stays at its place."""
    if not has_orders(text):
        return text
    kept = text
    for start, end in sentences(text):
        if has_orders(text[start:end]):
            kept = f"{kept[:start]}{' ' * (end - start)}{kept[end:]}"
    return kept


def _folded(text: str) -> str:
    shown = text if text.isascii() else text.translate(_SMUGGLED)
    return " ".join(fold(word) for word in shown.split())


_PHRASES = tuple(map(_folded, _ORDERS))
