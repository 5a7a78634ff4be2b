"""Which language a text is written in, told by its script and its function words."""

from collections.abc import Sequence

from windtunnel.planning.reading.lexicon import LANGUAGES, grammar
from windtunnel.planning.reading.words import Word

UNKNOWN = "und"
_SECOND_LANGUAGE_SHARE = 0.25
_SAMPLE_WORDS = 4000

_SCRIPTS = (
    ("ja", 0x3040, 0x30FF),
    ("zh", 0x4E00, 0x9FFF),
    ("ko", 0xAC00, 0xD7AF),
    ("ru", 0x0400, 0x04FF),
    ("ar", 0x0600, 0x06FF),
    ("he", 0x0590, 0x05FF),
    ("hi", 0x0900, 0x097F),
    ("th", 0x0E00, 0x0E7F),
    ("el", 0x0370, 0x03FF),
)
_LATIN = tuple(name for name in LANGUAGES if name not in {script for script, _, _ in _SCRIPTS} | {"uk"})
_LETTERS = {"pl": "ąęłńśźż", "tr": "ığş", "sv": "å", "de": "ß", "es": "ñ¿¡", "pt": "ãõ", "fr": "œêû"}
"""Letters that only one of the Latin languages here uses."""
_UKRAINIAN = frozenset("іїєґІЇЄҐ")


def languages_of(text: str, words: Sequence[Word]) -> tuple[str, ...]:
    """The languages, most likely first, by their ISO 639-1 codes; `("und",)` when nothing tells them."""
    script = _script_of(text)
    if script is not None:
        return (script,)
    sample = words[:_SAMPLE_WORDS]
    scores = {name: sum(word.form in grammar(name, "common") for word in sample) for name in _LATIN}
    for name, letters in _LETTERS.items():
        scores[name] += 2 * sum(text.count(letter) for letter in letters)
    best = max(scores.values(), default=0)
    if not sample or best < max(1, 0.05 * len(sample)):
        return (UNKNOWN,)
    ranked = sorted(scores, key=lambda language: -scores[language])
    return tuple(language for language in ranked if scores[language] >= max(1, best * (1 - _SECOND_LANGUAGE_SHARE)))[:2]


def _script_of(text: str) -> str | None:
    letters = [] if text.isascii() else [ord(char) for char in text if char.isalpha()]
    if not letters:
        return None
    counts = {name: sum(low <= code <= high for code in letters) for name, low, high in _SCRIPTS}
    han, kana = counts["zh"], counts["ja"]
    if han + kana >= 0.15 * len(letters) and han + kana:
        return "ja" if kana >= 0.1 * (han + kana) else "zh"
    name = max(counts, key=lambda key: counts[key])
    if counts[name] <= 0.5 * len(letters):
        return None
    return "uk" if name == "ru" and not _UKRAINIAN.isdisjoint(text) else name
