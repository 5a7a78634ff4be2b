"""Cleaning, measuring, cutting and wrapping text for pictures."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.drawing.networks import labels
from windtunnel.drawing.text import MARKS_MAX, clean, cut, width, wrap


@given(labels())
def test_clean_text_is_one_line_of_what_can_be_shown(label: str) -> None:
    cleaned = clean(label)
    assert cleaned == clean(cleaned) == cleaned.strip()
    assert "  " not in cleaned
    for char in cleaned:
        assert unicodedata.category(char) not in {"Cc", "Cs", "Zl", "Zp"}
        assert char not in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufffe\uffff"


@pytest.mark.parametrize(
    ("given_text", "shown"),
    [
        ("two\nlines\tand  spaces ", "two lines and spaces"),
        ("abc\u202edef", "abcdef"),
        ("\ufeffbom", "bom"),
        ("👩‍👩‍👧‍👦", "👩‍👩‍👧‍👦"),
        ("العربية", "العربية"),
        ("e" + "\u0301" * 30, "e" + "\u0301" * MARKS_MAX),
        ("\x00\x1b[31m", "[31m"),
    ],
)
def test_clean_keeps_writing_and_drops_tricks(given_text: str, shown: str) -> None:
    assert clean(given_text) == shown


@given(labels(), st.floats(20, 300))
def test_cut_text_fits_and_is_a_beginning(label: str, limit: float) -> None:
    text = clean(label)
    shown = cut(text, 12, limit)
    if shown == text:
        return
    assert shown.endswith("…")
    assert text.startswith(shown[:-1])
    assert width(shown, 12) <= limit


def test_cut_never_separates_a_mark_from_its_letter() -> None:
    text = "n\u0303" * 40
    for limit in range(20, 120, 3):
        kept = cut(text, 12, limit)[:-1]
        assert len(kept) % 2 == 0


@given(labels(), st.integers(1, 4))
def test_wrapped_text_stays_in_its_box_and_in_order(label: str, lines: int) -> None:
    text = clean(label)
    wrapped = wrap(text, 13, 110, lines, bold=True)
    assert 1 <= len(wrapped) <= lines
    assert all(width(line, 13, bold=True) <= 110 for line in wrapped)
    joined = "".join(wrapped).replace(" ", "")
    whole = text.replace(" ", "")
    assert joined == whole or (joined.endswith("…") and whole.startswith(joined[:-1]))


def test_scripts_without_spaces_wrap_too() -> None:
    assert len(wrap("客户支持代理负责处理所有退款请求", 13, 110, 3)) == 2
