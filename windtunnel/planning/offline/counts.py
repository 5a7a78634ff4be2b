"""How many: the numbers that a clause gives its agents."""

import re
from collections.abc import Sequence
from itertools import islice

from windtunnel.planning.reading.clauses import Clause
from windtunnel.planning.reading.reading import Reading

_DIGITS = re.compile(r"(\d{1,3}(?:[.,\s]\d{3})+|\d{1,9})\s*(?:[^\W\d_]+\s+){0,2}$")
_DIGITS_SOLID = re.compile(r"(\d{1,9})\s*(?:万|千|百)?[个個名台体]?\D{0,3}$")
_LOOK_BACK = 40
_MOST = 1_000_000
_LOOKED_AT = 8
_WORDS: dict[str, tuple[str, ...]] = {
    "en": ("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
    "es": ("dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve", "diez", "once", "doce"),
    "de": ("zwei", "drei", "vier", "funf", "sechs", "sieben", "acht", "neun", "zehn", "elf", "zwolf"),
    "fr": ("deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf", "dix", "onze", "douze"),
    "pt": ("dois", "tres", "quatro", "cinco", "seis", "sete", "oito", "nove", "dez", "onze", "doze"),
    "it": ("due", "tre", "quattro", "cinque", "sei", "sette", "otto", "nove", "dieci", "undici", "dodici"),
    "zh": ("两个", "三个", "四个", "五个", "六个", "七个", "八个", "九个", "十个"),
    "ja": ("二つ", "三つ", "四つ", "五つ", "六つ", "七つ", "八つ", "九つ"),
}


def copies_in(clause: Clause, languages: Sequence[str]) -> int:
    """The number right before a word for agents ("5,000 agents", "three voting agents"); 1 without one."""
    agents = (hit for hit in clause.hits if hit.section == "agents")
    for hit in islice(agents, _LOOKED_AT):
        before = clause.text[max(0, hit.start - clause.start - _LOOK_BACK) : hit.start - clause.start]
        digits = _DIGITS.search(before) or _DIGITS_SOLID.search(before)
        if digits:
            return min(_MOST, max(1, int(re.sub(r"\D", "", digits.group(1)))))
        near = [word.form for word in clause.words if word.end <= hit.start][-3:]
        for language in languages:
            for number, word in enumerate(_WORDS.get(language, ()), start=2):
                if word in near or (near and language in {"zh", "ja"} and word in near[-1]):
                    return number
    return 1


def most_agents_in(reading: Reading) -> int:
    """The largest number of agents that the text asks for."""
    return max((copies_in(clause, reading.known) for clause in reading.clauses), default=1)
