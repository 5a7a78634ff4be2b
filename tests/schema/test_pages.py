"""Pages: which arguments go together, and cursors that only we can write."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema.ids import write_opaque
from schema.pages import page_request, read_cursor, write_cursor
from windtunnel.domain.errors import ErrorCode, ValidationError
from windtunnel.domain.pages import Keyset, PageRequest

RAW = "01938f2c-7b1e-7abc-8def-0123456789ab"
KEY = Keyset(number=1_767_355_200_000, id=RAW)
CURSOR = write_cursor(KEY)


@pytest.mark.parametrize(
    ("arguments", "request_"),
    [
        ({}, PageRequest(limit=20)),
        ({"first": 1}, PageRequest(limit=1)),
        ({"first": 100, "after": CURSOR}, PageRequest(limit=100, after=KEY)),
        ({"after": CURSOR}, PageRequest(limit=20, after=KEY)),
        ({"last": 3}, PageRequest(limit=3, backward=True)),
        ({"last": 3, "before": CURSOR}, PageRequest(limit=3, before=KEY, backward=True)),
        ({"before": CURSOR}, PageRequest(limit=20, before=KEY, backward=True)),
    ],
)
def test_a_page_goes_forward_or_backward(arguments: dict[str, object], request_: PageRequest) -> None:
    assert page_request(**arguments) == request_  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("arguments", "blamed"),
    [
        ({"first": 1, "last": 1}, "last"),
        ({"first": 1, "before": CURSOR}, "before"),
        ({"last": 1, "after": CURSOR}, "after"),
        ({"after": CURSOR, "before": CURSOR}, "after"),
        ({"first": 0}, "first"),
        ({"first": 101}, "first"),
        ({"last": -1}, "last"),
        ({"after": ""}, "after"),
        ({"after": "arrayconnection:0"}, "after"),
        ({"before": CURSOR + "A"}, "before"),
        ({"after": "\ud800"}, "after"),
    ],
)
def test_what_contradicts_itself_is_refused(arguments: dict[str, object], blamed: str) -> None:
    with pytest.raises(ValidationError) as refused:
        page_request(**arguments)  # type: ignore[arg-type]
    assert (refused.value.code, refused.value.path) == (ErrorCode.BAD_USER_INPUT, (blamed,))


@given(st.integers(0, 2**63 - 1), st.uuids())
def test_a_cursor_reads_back(number: int, raw: object) -> None:
    key = Keyset(number=number, id=str(raw))
    assert read_cursor(write_cursor(key)) == key


@given(st.text())
def test_no_made_up_text_is_a_cursor(text: str) -> None:
    assert read_cursor(text) is None


@given(st.text(alphabet="0123456789:-abcdef ٣²", max_size=60))
def test_no_made_up_content_upsets_the_reader(text: str) -> None:
    key = read_cursor(write_opaque(text))
    assert key is None or write_cursor(key) == write_opaque(text)


@pytest.mark.parametrize(
    "content",
    [
        f"-1:{RAW}",
        f"+1:{RAW}",
        f"01:{RAW}",
        f"1.5:{RAW}",
        f"9223372036854775808:{RAW}",
        f"٣:{RAW}",
        "1:x",
        "1:",
        f":{RAW}",
    ],
)
def test_almost_a_cursor_is_none(content: str) -> None:
    assert read_cursor(write_opaque(content)) is None
