"""Which words are accepted as a scenario, and how it is called."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windtunnel.domain.errors import ErrorCode, ValidationError
from windtunnel.domain.policy import SCENARIO_MAX_CHARS
from windtunnel.domain.scenarios import TITLE_MAX_CHARS, check_text, title_of


@pytest.mark.parametrize("text", ["", " \n\t", "\u200b\u200d\ufeff", "\u00a0\u3000", "\u2800", "\u3164", "\u202e"])
def test_what_shows_nothing_is_empty(text: str) -> None:
    with pytest.raises(ValidationError) as refused:
        check_text(text)
    assert refused.value.code is ErrorCode.SCENARIO_EMPTY


@pytest.mark.parametrize("text", ["a\0b", "a\ud800b", "\udfff end"])
def test_what_no_database_can_hold_is_refused(text: str) -> None:
    with pytest.raises(ValidationError) as refused:
        check_text(text)
    assert refused.value.rule == "string_unstorable"


def test_the_limit_is_inclusive() -> None:
    assert check_text("x" * SCENARIO_MAX_CHARS)
    with pytest.raises(ValidationError, match="20,001") as refused:
        check_text("x" * (SCENARIO_MAX_CHARS + 1))
    assert refused.value.rule == "string_too_long"


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=300))
def test_text_with_anything_to_see_is_kept_as_given_and_has_a_title(text: str) -> None:
    seen = text + "x"
    assert check_text(seen) == seen
    assert 0 < len(title_of(seen)) <= TITLE_MAX_CHARS


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("An agent reads incoming mail. Another answers it.", "An agent reads incoming mail."),
        ("Customers email us. Route each message to a specialist. Done.", None),
        ("x" * 200, "x" * 79 + "…"),
        ("  two\nlines  ", "two lines"),
    ],
)
def test_the_title_is_the_first_sentence_that_says_something(text: str, title: str | None) -> None:
    assert title_of(text) == (title or "Customers email us. Route each message to a specialist.")
