"""The lexicon: stems and synonyms of each concept, per language, and where they occur in a text."""

import re
import tomllib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from windtunnel.planning.reading.words import MARKS, Word, fold, is_solid, words_of

FULL = ("en", "es", "de", "fr", "pt", "it", "zh", "ja")
"""Languages in which every concept has its words."""
LANGUAGES = (*FULL, "nl", "sv", "pl", "tr", "id", "ru", "uk", "ko", "ar", "hi")
"""Languages with words for at least the most frequent concepts."""

_MIN_STEM = 2
_REMEMBERED = 20_000
_BORROWED = frozenset({"tools", "products"})
"""English names of tools stand in texts of every language, and so do names of products."""
_PART = re.compile(rf"[^\W_](?:[^\W_]|[{MARKS}])*\*?")
_SEARCHED = frozenset({"agents", "actions", "concepts", "tools", "products", "people", "domains"})


@dataclass(frozen=True, slots=True)
class Hit:
    """An entry of the lexicon found in a text: its section and concept, and where it stands (characters)."""

    section: str
    concept: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Entry:
    section: str
    concept: str
    rest: tuple[tuple[str, bool], ...]  # the further words, and whether each is a stem


class Matcher:
    """Finds the entries of some languages. Time is linear in the text: each word is looked up by its beginnings."""

    def __init__(self, languages: Sequence[str]) -> None:
        self._exact: dict[str, list[_Entry]] = {}
        self._stems: dict[str, list[_Entry]] = {}
        self._inner: dict[str, list[_Entry]] = {}
        self._solid: dict[str, list[_Entry]] = {}
        self._longest = {"stem": 0, "inner": 0, "solid": 0}
        self._seen: dict[str, list[_Entry]] = {}
        for language in languages:
            self._read(language, _SEARCHED)
        if "en" not in languages:
            common = {form for language in languages for form in grammar(language, "common")}
            self._read("en", _BORROWED, common)  # a Dutch "van" is no lorry

    def hits(self, text: str, words: Sequence[Word]) -> list[Hit]:
        """Every entry found, in order of its start."""
        found: list[Hit] = []
        for index, word in enumerate(words):
            if word.solid:
                found += self._solid_hits(text, word)
                continue
            for entry in self._entries(word.form):
                last = _follow(entry, words, index)
                if last is not None:
                    found.append(Hit(entry.section, entry.concept, word.start, words[last].end))
        return found

    def _read(self, language: str, sections: Collection[str], common: Collection[str] = ()) -> None:
        for section, concepts in _load(language).items():
            for concept, entries in concepts.items():
                if section in sections or (section == "grammar" and concept == "joint" and sections is _SEARCHED):
                    for entry in entries.split(","):
                        if sections is not _BORROWED or entry.strip() not in common:
                            self._add(section, concept, entry.strip())
                            if section == "products":
                                self._add("tools", concept, entry.strip())

    def _add(self, section: str, concept: str, entry: str) -> None:
        parts = [(fold(part.strip("*")), part.endswith("*")) for part in _PART.findall(entry)]
        if not parts:
            return
        head, stem = parts[0]
        made = _Entry(section, concept, tuple(parts[1:]))
        if is_solid(head):
            self._put(self._solid, "solid", "".join(part for part, _ in parts), _Entry(section, concept, ()))
        elif entry.startswith("*"):
            self._put(self._inner, "inner", head, made)
        elif stem:
            self._put(self._stems, "stem", head, made)
        else:
            self._exact.setdefault(head, []).append(made)

    def _put(self, index: dict[str, list[_Entry]], kind: str, head: str, entry: _Entry) -> None:
        index.setdefault(head, []).append(entry)
        self._longest[kind] = max(self._longest[kind], len(head))

    def _entries(self, form: str) -> list[_Entry]:
        known = self._seen.get(form)
        if known is None:
            known = self._look_up(form)
            if len(self._seen) < _REMEMBERED:
                self._seen[form] = known
        return known

    def _look_up(self, form: str) -> list[_Entry]:
        found = list(self._exact.get(form, ()))
        if len(form) > 3 and form.endswith("s"):
            found += self._exact.get(form[:-1], ())
        for length in range(_MIN_STEM, min(len(form), self._longest["stem"]) + 1):
            found += self._stems.get(form[:length], ())
        if self._inner:
            for start in range(len(form)):
                for length in range(4, min(len(form) - start, self._longest["inner"]) + 1):
                    found += self._inner.get(form[start : start + length], ())
        return found

    def _solid_hits(self, text: str, word: Word) -> list[Hit]:
        run = text[word.start : word.end]
        form = run if len(run) == len(word.form) else None
        found = []
        for start in range(len(run)):
            for length in range(1, min(len(run) - start, self._longest["solid"]) + 1):
                part = word.form[start : start + length] if form is not None else fold(run[start : start + length])
                for entry in self._solid.get(part, ()):
                    begin = word.start + start
                    found.append(Hit(entry.section, entry.concept, begin, begin + length))
        return found


def _follow(entry: _Entry, words: Sequence[Word], index: int) -> int | None:
    """The index of the entry's last word when its further words follow, else None."""
    for part, stem in entry.rest:
        index += 1
        if index == len(words):
            return None
        form = words[index].form
        if not (form.startswith(part) if stem else form in {part, part + "s"}):
            return None
    return index


@cache
def matcher(languages: tuple[str, ...]) -> Matcher:
    """The matcher of these languages, made once."""
    return Matcher(languages)


@cache
def grammar(language: str, name: str) -> frozenset[str]:
    """The single function words of a kind (`article`, `skip`, `common` ...) in a language."""
    entries = _load(language).get("grammar", {}).get(name, "")
    return frozenset(word.form for entry in entries.split(",") for word in words_of(entry))


def label(language: str, part: str) -> str:
    """The name, in a language, of a part that a pattern needs and the text does not name; English if unknown."""
    return _load(language if language in FULL else "en")["labels"][part]


@cache
def _load(language: str) -> dict[str, dict[str, str]]:
    text = files("windtunnel.planning.lexicon").joinpath(f"{language}.toml").read_text("utf-8")
    return tomllib.loads(text)


def concepts_of(section: str) -> frozenset[str]:
    """The ids that a section of the lexicon knows (English has them all)."""
    return frozenset(_load("en")[section])
