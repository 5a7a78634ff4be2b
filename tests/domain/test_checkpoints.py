"""The text of a checkpoint: three lines, strictly."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windtunnel.domain.checkpoints import Checkpoint, Roll, checkpoint_of, claimed_size, roll_of

HASH = "0a80a29a2e9d6e0e1a0b6b9a6d2a3fe0ffcc42f1f5ab7cc0e4a9f7c2a6ed7d10"
TEXT = "windtunnel/audit/tenant-1\n120\nCoCimi6dbg4aC2uabSo/4P/MQvH1q3zA5Kn3wqbtfRA=\n"


def test_the_text_of_a_checkpoint() -> None:
    assert Checkpoint("tenant-1", 120, HASH).text == TEXT
    assert checkpoint_of(TEXT) == Checkpoint("tenant-1", 120, HASH)
    assert claimed_size(TEXT) == 120


@pytest.mark.parametrize(
    "text",
    [
        "",
        TEXT[:-1],
        TEXT + "extension\n",
        "\n" + TEXT,
        TEXT.replace("windtunnel", "somebody"),
        TEXT.replace("120", "0120"),
        TEXT.replace("120", "-1"),
        TEXT.replace("120", "1" * 20),
        TEXT.replace("120", "١٢٠"),
        TEXT.replace("CoCi", "CoC"),
        TEXT.replace("CoCi", "CoCiCoCi"),
        TEXT.replace("fRA=", "fRB="),  # not how its bytes are written
        TEXT.replace("\n", "\r\n"),
    ],
    ids=repr,
)
def test_anything_else_is_none(text: str) -> None:
    assert checkpoint_of(text) is None


def test_a_note_may_claim_anything() -> None:
    assert claimed_size("x\n7") == 7
    assert [claimed_size(text) for text in ("", "x", "x\n", "x\n-7", "x\n٧", "x\n" + "7" * 40)] == [None] * 6


@given(st.text(), st.binary())
def test_no_text_upsets_it(text: str, content: bytes) -> None:
    for each in (text, content.decode(errors="replace")):
        found = checkpoint_of(each)
        assert found is None or found.text == each
        claimed_size(each)


def test_the_text_of_a_roll() -> None:
    roll = Roll(1_234, frozenset({"b", "a"}))
    assert roll.text == "windtunnel/audit\n1234\na\nb\n"
    assert (roll_of(roll.text), roll_of(Roll(0, frozenset()).text)) == (roll, Roll(0, frozenset()))
    for text in ("", "windtunnel/audit\n", "windtunnel/audit\n01\n", "windtunnel/audit\n1\nb\na\n", roll.text[:-1]):
        assert roll_of(text) is None, text
