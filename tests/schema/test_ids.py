"""Global ids: what we wrote we read, and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema.ids import Kind, decode, demand, encode, raw_of, read_opaque, write_opaque
from windtunnel.domain.errors import NotFoundError
from windtunnel.domain.ids import new_id

RAW = "01938f2c-7b1e-7abc-8def-0123456789ab"


@given(st.sampled_from(Kind), st.uuids())
def test_an_id_names_one_thing(kind: Kind, raw: object) -> None:
    shown = encode(kind, str(raw))
    assert decode(shown) == (kind, str(raw))
    assert [other for other in Kind if raw_of(other, shown) is not None] == [kind]


def test_ids_that_storage_makes_are_read() -> None:
    raw = new_id()
    assert raw_of(Kind.SIMULATION, encode(Kind.SIMULATION, raw)) == raw


@given(st.text())
def test_no_made_up_text_is_an_id(text: str) -> None:
    assert decode(text) is None


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_no_made_up_content_is_an_id(text: str) -> None:
    assert decode(write_opaque(text)) is None
    assert decode(write_opaque(f"Simulation:{text}")) is None


@pytest.mark.parametrize(
    "text",
    [
        write_opaque(f"Simulation:{RAW}") + "=",
        write_opaque(f"Simulation:{RAW}") + "\n",
        write_opaque(f"simulation:{RAW}"),
        write_opaque(f"SIMULATION:{RAW}"),
        write_opaque(f"Other:{RAW}"),
        write_opaque(f"Simulation:{RAW.upper()}"),
        write_opaque(f"Simulation:{{{RAW}}}"),
        write_opaque(f"Simulation:{RAW}:"),
        write_opaque(RAW),
        RAW,
        "",
        "=",
        "====",
        "\ud800",
        "é",
    ],
)
def test_almost_an_id_is_none(text: str) -> None:
    assert decode(text) is None


def test_an_id_of_another_kind_does_not_exist() -> None:
    given_id = encode(Kind.SCENARIO, RAW)
    with pytest.raises(NotFoundError) as refused:
        demand(Kind.SIMULATION, given_id, ("input", "simulation_id"))
    assert (refused.value.resource_id, refused.value.path) == (given_id, ("input", "simulation_id"))


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_opaque_text_is_url_safe_and_reads_back(text: str) -> None:
    opaque = write_opaque(text)
    assert read_opaque(opaque) == text
    assert set(opaque) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
