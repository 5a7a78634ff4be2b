"""Who does it: the people and agents that a clause names, and the words that name a deed."""

import re
from collections.abc import Sequence
from itertools import islice

from windtunnel.planning.naming import NAME_MAX_CHARS, capitalised, clean
from windtunnel.planning.reading.clauses import Clause
from windtunnel.planning.reading.lexicon import Hit, grammar
from windtunnel.planning.reading.words import Word

_NAMED_MAX = 8
_DEED_WORDS = 5
_DEED_CHARS = 40
_TURNS = frozenset(
    {
        "above", "against", "as", "because", "bis", "falls", "if", "need", "needs", "o", "oder", "oppure", "or", "ou",
        "over", "plus", "se", "si", "that", "u", "uber", "under", "unless", "until", "weil", "wenn", "when", "which",
        "who",
    }
)  # fmt: skip
"""Words behind which a clause turns to something else than the deed."""
_DEED_CHARS_SOLID = 16
_MARKUP = re.compile(r"[<>{}\[\]|`\"\\]+")
"""Signs of markup languages: they say nothing in a name."""
_AGENTIVE = ("er", "or", "ist", "ian", "critic", "expert", "clerk", "lead")
"""English endings of nouns for doers: a fact checker, a lead researcher, a bear analyst."""
_DECIDING = frozenset({"approve", "decide", "check", "review", "escalate", "score"})
_TALKING = frozenset({"debate", "vote", "negotiate", "delegate"})
_OFFICES = frozenset({"manager", "clinician", "lawyer", "officer"})


def person_in(clause: Clause, deeds: Sequence[Hit]) -> Hit | None:
    """The person who acts in a clause: who approves or decides, is handed the work, or does it by their office.

    A manager, doctor, lawyer or officer is a person whatever they do. An editor or a planner may as well be an agent's
    name: they are people when they approve or decide, or are called human.
    """
    titles = [title for title in _titles(clause) if not _is_agent(clause, title)]
    if not titles or clause.has("automatic"):
        return None
    first = deeds[0] if deeds else None
    concepts = {deed.concept for deed in deeds}
    if clause.has("escalate", "wait") or concepts & {"approve", "escalate"} or _is_called_human(clause, titles[0]):
        return titles[0]
    for title in titles:
        is_subject = first is not None and title.start < first.start
        if title.concept in _OFFICES and (is_subject or clause.has("approve") or "decide" in concepts):
            return title
        if is_subject and first is not None and first.concept in _DECIDING:
            return title
        if _is_needed(clause, title) or (clause.has("approve") and (first is None or first.concept not in _TALKING)):
            return title
    return None


def _is_needed(clause: Clause, title: Hit) -> bool:
    """True for "refunds over 200 need a manager"."""
    needs = [hit for hit in clause.hits if hit.section == "concepts" and hit.concept == "needs"]
    solid = any(word.solid for word in clause.words)
    return title.concept != "expert" and any(hit.end <= title.start or solid for hit in needs)


def person_name(clause: Clause, person: Hit, languages: Sequence[str]) -> str:
    """The title of a person, with the words before it that belong to it: procurement director, human officer."""
    kept: list[Word] = []
    for word in reversed([word for word in clause.words if word.end <= person.start][-2:]):
        named = any(hit.section == "people" and hit.start <= word.start < hit.end for hit in clause.hits)
        deed = any(hit.section == "actions" and hit.start <= word.start < hit.end for hit in clause.hits)
        if word.solid or is_function(word, languages) or (deed and not _after_article(clause, word, languages)):
            break
        if not named and _joins(clause, word, person.start if not kept else kept[0].start):
            break
        kept.insert(0, word)
    return _titled(clause, kept[0].start if kept else person.start, person.end)


def agents_in(clause: Clause, languages: Sequence[str], end: int | None = None) -> list[str]:
    """The names of the agents that a clause tells apart, before the position `end`: bull agent, fact checker."""
    names = []
    agents = (hit for hit in clause.hits if hit.section == "agents" and (end is None or hit.start <= end))
    for hit in islice(agents, _NAMED_MAX):
        kept = _modifiers(clause, hit.start, languages)
        if kept:
            names.append(_titled(clause, kept[0].start, hit.end))
    if not names and languages[0] == "en":
        names = _role_nouns(clause, languages, clause.end if end is None else end)
    return list(dict.fromkeys(names))


def deed_name(clause: Clause, action: Hit | None, languages: Sequence[str]) -> str:
    """The deed in the text's own words: from the verb on, a few words long."""
    start = action.start if action is not None else _first_content(clause, languages)
    words = [word for word in clause.words if word.start >= start]
    if any(word.solid for word in words[:1]):
        return clean(_text(clause, start, clause.end), _DEED_CHARS_SOLID).rstrip("…")
    if action is not None and not [word for word in words[1:] if not is_function(word, languages)]:
        words = [word for word in clause.words if word.end <= action.end][-_DEED_WORDS:]  # the verb stands last
        while len(words) > 1 and is_function(words[0], languages):
            words.pop(0)
    taken = words[:1]
    for word in words[1:]:
        content = sum(not is_function(known, languages) for known in taken)
        if (
            (content > 1 and word.form in _TURNS)
            or content == _DEED_WORDS - 1
            or word.end - taken[0].start > _DEED_CHARS
        ):
            break
        taken.append(word)
    while len(taken) > 1 and is_function(taken[-1], languages):
        taken.pop()
    if not taken:
        return clean(capitalised([clause.text]), NAME_MAX_CHARS)
    return _titled(clause, taken[0].start, taken[-1].end)


def _titles(clause: Clause) -> list[Hit]:
    """The staff that a clause names, words that follow one another as one title; the surest class counts."""
    found: list[Hit] = []
    for hit in clause.hits:
        if hit.section != "people" or hit.concept == "outsider":
            continue
        if found and hit.start <= found[-1].end + 1:
            concept = hit.concept if hit.concept in _OFFICES else found[-1].concept
            found[-1] = Hit(hit.section, concept, found[-1].start, max(hit.end, found[-1].end))
        else:
            found.append(hit)
    return found


def _is_called_human(clause: Clause, title: Hit) -> bool:
    return any(
        hit.section == "concepts" and hit.concept == "human" and hit.start <= title.end and title.start <= hit.end + 1
        for hit in clause.hits
    )


def _is_agent(clause: Clause, hit: Hit) -> bool:
    """True when the person's word is part of an agent's name: a judge agent is no judge."""
    agents = [other for other in clause.hits if other.section == "agents"]
    return any(-1 <= other.start - hit.end <= 1 or -1 <= hit.start - other.end <= 1 for other in agents)


def _modifiers(clause: Clause, end: int, languages: Sequence[str]) -> list[Word]:
    kept: list[Word] = []
    for word in reversed([word for word in clause.words if word.end <= end][-3:]):
        generic = any(word.form in grammar(language, "generic") for language in languages)
        if word.solid or generic or word.form.isdecimal() or is_function(word, languages):
            break
        if kept and _joins(clause, word, kept[0].start):
            break
        kept.insert(0, word)
    return kept


def _role_nouns(clause: Clause, languages: Sequence[str], end: int) -> list[str]:
    names = []
    words = [word for word in clause.words if word.end <= end]
    for index, word in enumerate(words):
        if not word.form.endswith(_AGENTIVE) or len(word.form) < 4 or index == 0:
            continue
        if any(hit.concept == "outsider" and hit.start <= word.start < hit.end for hit in clause.hits):
            continue
        start = index
        while start > 0 and index - start < 2 and not is_function(words[start - 1], languages):
            start -= 1
        if start > 0 and words[start - 1].form in {"a", "an", "the", "our", "one"}:
            names.append(_titled(clause, words[start].start, word.end))
    return names


def _joins(clause: Clause, word: Word, start: int) -> bool:
    """True when something stands between a word and what follows: a comma, a bracket."""
    return bool(_text(clause, word.end, start).strip(" -'’"))


def _after_article(clause: Clause, word: Word, languages: Sequence[str]) -> bool:
    before = [other for other in clause.words if other.end <= word.start][-1:]
    return bool(before) and any(before[0].form in grammar(language, "article") for language in languages)


def _first_content(clause: Clause, languages: Sequence[str]) -> int:
    return next((word.start for word in clause.words if not is_function(word, languages)), clause.start)


def is_function(word: Word, languages: Sequence[str]) -> bool:
    """True for words that tell nothing by themselves: articles, pronouns, auxiliaries."""
    return any(word.form in grammar(language, "skip") for language in languages)


def _titled(clause: Clause, start: int, end: int) -> str:
    return clean(capitalised([_MARKUP.sub(" ", _text(clause, start, end)).strip()]), NAME_MAX_CHARS)


def _text(clause: Clause, start: int, end: int) -> str:
    return clause.text[start - clause.start : end - clause.start]
