"""What a text says besides the work: rules to keep, and conditions under which the next thing is done."""

import re
from functools import lru_cache

from windtunnel.planning.reading.clauses import Clause
from windtunnel.planning.reading.reading import Reading
from windtunnel.planning.reading.words import fold, words_of

_BULLET = re.compile(r"\s*(?:[-*•–·・]|\d{1,3}[.)]|[a-z][.)])\s*")
_HEADINGS = frozenset(
    {
        "auflagen", "bedingungen", "boundaries", "condiciones", "condicoes", "conditions", "condizioni", "consignes",
        "constraint", "constraints", "contraintes", "einschrankungen", "grenzen", "grundsatze", "guardrails",
        "guidelines", "hinweise", "limitations", "limites", "limiti", "limits", "normas", "notes", "policies",
        "policy", "principes", "principi", "principios", "principles", "regel", "regeln", "reglas", "regles",
        "regole", "regras", "restricciones", "restricoes", "restrictions", "rule", "rules", "vincoli", "vorgaben",
    }
)  # fmt: skip
_HEADINGS_SOLID = ("规则", "約束", "约束", "限制", "规定", "原则", "規則", "制約", "ルール", "制限", "条件", "注意")
_HEADING_WORDS_MAX = 5
_HEADS = frozenset(
    {"from", "to", "cc", "subject", "re", "von", "an", "betreff", "de", "objet", "asunto", "assunto", "oggetto"}
)
GREETINGS = frozenset(
    {
        "abraco", "best", "bonjour", "cara", "caro", "cheers", "cher", "chere", "ciao", "cordialement", "dear", "gruss",
        "grusse", "hallo", "hello", "hey", "hi", "hola", "liebe", "lieber", "merci", "ola", "querida", "querido",
        "regards", "saludos", "saluti", "sehr", "thank", "thanks", "yours",
    }
)  # fmt: skip
_GREETING_WORDS_MAX = 4
_ELSE = frozenset(
    {"otherwise", "else", "sonst", "andernfalls", "ansonsten", "sinon", "sino", "senao", "altrimenti", "except"}
)
_ELSE_SOLID = ("否则", "さもなければ")
_COMMAS = frozenset(",，、;；")


def is_rule(reading: Reading, clause: Clause) -> bool:
    """True for what is forbidden, and for the items of a list of rules: no step, but a limit to keep."""
    if any(start <= clause.start < end for start, end in _listed_rules(reading)):
        return True
    bans = [hit.start for hit in clause.hits if hit.section == "concepts" and hit.concept == "forbid"]
    return bool(bans) and (
        not clause.deeds or any(word.solid for word in clause.words) or bans[0] < clause.deeds[0].end
    )


def is_letter_form(reading: Reading, clause: Clause) -> bool:
    """True for what belongs to a letter and not to its matter: heads, greetings, the name at its end."""
    first = clause.words[0].form if clause.words else ""
    if first in _HEADS:
        return reading.text[clause.words[0].end : clause.words[0].end + 2].strip().startswith((":", "："))
    return first in GREETINGS and len(clause.words) <= _GREETING_WORDS_MAX and not clause.deeds


def is_condition_of_next(reading: Reading, index: int) -> bool:
    """True for "if it cannot answer" before ", it asks": what is done comes behind the comma."""
    if index + 1 >= len(reading.clauses):
        return False
    clause, following = reading.clauses[index], reading.clauses[index + 1]
    if following.sentence != clause.sentence or not clause.words:
        return False
    first = clause.words[0]
    starts = any(hit.concept == "if" and hit.section == "concepts" and hit.start == first.start for hit in clause.hits)
    if not starts or first.form in _ELSE or first.form.startswith(_ELSE_SOLID):
        return False
    return not _COMMAS.isdisjoint(reading.text[clause.end : following.start])


@lru_cache(maxsize=8)
def _listed_rules(reading: Reading) -> tuple[tuple[int, int], ...]:
    """The spans of the lists whose heading speaks of rules."""
    found = []
    at, under = 0, False
    for line in reading.text.splitlines(keepends=True):
        bare = line.strip()
        if _is_heading(bare):
            under = True
        elif under and bare and _BULLET.match(line):
            found.append((at, at + len(line)))
        elif bare:
            under = False
        at += len(line)
    return tuple(found)


def _is_heading(line: str) -> bool:
    title = line.rstrip(":：").strip("#*_ \t")
    if not title or not (line.endswith((":", "：")) or line.startswith(("#", "**"))):
        return False
    if any(word in title for word in _HEADINGS_SOLID):
        return len(title) <= 3 * _HEADING_WORDS_MAX
    words = words_of(title)
    return len(words) <= _HEADING_WORDS_MAX and any(fold(word.form) in _HEADINGS for word in words)
