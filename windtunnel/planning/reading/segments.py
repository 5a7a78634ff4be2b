"""Sentences and fragments: where a text can be cut, in any language, in linear time."""

import re
from collections.abc import Iterator, Sequence

Span = tuple[int, int]

_STOP = re.compile(r"[.!?;:\n\r…。！？；：؟।]+")
_COMMA = re.compile(r"[,，、،()（）\[\]—–]|\s-\s|\s/\s")
_ABBREVIATIONS = frozenset(
    {"approx", "bzw", "ca", "co", "d.h", "dott", "dr", "e.g", "ej", "es", "etc", "ex", "i.e", "inc", "ltd", "mr", "mrs"}
    | {"ms", "no", "nr", "p.ej", "p.ex", "prof", "sr", "sra", "st", "u.a", "usw", "vs", "z.b"}
)


def sentences(text: str) -> Iterator[Span]:
    """The spans between full stops, question marks, line ends and their kin, in any script; blanks trimmed."""
    start = 0
    for match in _STOP.finditer(text):
        if _ends_here(text, match, start):
            yield from _trimmed(text, start, match.start())
            start = match.end()
    yield from _trimmed(text, start, len(text))


def fragments(text: str, span: Span, joints: Sequence[Span]) -> Iterator[Span]:
    """A sentence cut at commas, brackets, dashes and the joints given (spans of "and", "then" ...), which drop out."""
    begin, end = span
    cuts = [match.span() for match in _COMMA.finditer(text, begin, end) if not _inside_number(text, match.start())]
    cuts += [joint for joint in joints if begin <= joint[0] < end]
    start = begin
    for cut_start, cut_end in sorted(cuts):
        yield from _trimmed(text, start, cut_start)
        start = max(start, cut_end)
    yield from _trimmed(text, start, end)


def _ends_here(text: str, match: re.Match[str], start: int) -> bool:
    mark = match.group()
    after = text[match.end() : match.end() + 1]
    if mark == ".":
        if after and not after.isspace() and after not in "\"'”’)]":
            return False
        last = text[max(start, match.start() - 8) : match.start()].split()
        return not last or last[-1].casefold().strip("(") not in _ABBREVIATIONS
    if mark == ":":
        return not after or after.isspace()
    return True


def _inside_number(text: str, at: int) -> bool:
    return text[at] == "," and text[at - 1 : at].isdigit() and text[at + 1 : at + 2].isdigit()


def _trimmed(text: str, start: int, end: int) -> Iterator[Span]:
    while start < end and not text[start].isalnum():
        start += 1
    while start < end and text[end - 1].isspace():
        end -= 1
    if start < end:
        yield (start, end)
