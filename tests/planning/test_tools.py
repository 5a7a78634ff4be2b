"""Which tools a plan names: those that the text's words name, those that texts like it need, and not everything."""

from pathlib import Path

import numpy as np
import pytest

from training.measure import plan
from windtunnel.knowledge import load_book
from windtunnel.planning.classifier import model
from windtunnel.planning.classifier.features import size
from windtunnel.planning.classifier.model import TOOLS_FILE, load_weights
from windtunnel.planning.classifier.tools import TOLD_MAX, guess_tools, standing_out
from windtunnel.planning.reading.reading import read


def test_the_weights_are_small_whole_numbers_and_fit_the_book() -> None:
    weights = load_weights(TOOLS_FILE)
    assert set(weights.names) == set(load_book().tools)
    assert weights.matrix.shape == (len(weights.names), size())
    assert weights.matrix.dtype == np.int8
    assert Path(model.__file__).with_name(TOOLS_FILE).stat().st_size < 1_000_000


def test_the_surest_few_stand_out_and_the_best_already_half_way() -> None:
    edges = (0.2,) * 5
    assert standing_out({"a": 0.3, "b": 0.9, "c": 0.19, "d": 0.1, "e": 0.0}, edges) == ["b", "a"]
    assert standing_out({"a": 0.11, "b": 0.05, "c": 0.0, "d": 0.0, "e": 0.0}, edges) == ["a"]
    assert standing_out({"a": 0.09, "b": 0.05, "c": 0.0, "d": 0.0, "e": 0.0}, edges) == []
    assert len(standing_out(dict.fromkeys("abcde", 0.5), edges)) == TOLD_MAX


@pytest.mark.parametrize(
    ("text", "tool"),
    [
        ("Two firms' bots argue about what the timber is worth until they shake hands.", "market_data"),
        (
            "One of them writes the eulogy, the other one finds fault with it, and so on until it is good.",
            "cms_publish",
        ),
        ("Eerst de factuur lezen, dan vergelijken met de bestelling, dan boeken.", "document_parser"),
        ("Gdy w szklarni jest za sucho, agent włącza podlewanie.", "iot_sensor"),
    ],
)
async def test_a_tool_that_no_english_catalogue_word_names(text: str, tool: str) -> None:
    assert tool in guess_tools(read(text)).told
    assert tool in {each.kind for each in (await plan(text)).tools}


@pytest.mark.parametrize(
    ("product", "tool"),
    [("Zendesk", "ticketing"), ("Snowflake", "database"), ("Moodle", "lms"), ("DeepL", "translation")],
)
@pytest.mark.parametrize(
    "around", ["An agent writes what it finds into {}.", "Ein Agent schreibt nach {}, was er findet."]
)
async def test_a_product_by_its_name_is_always_believed(around: str, product: str, tool: str) -> None:
    assert tool in {each.kind for each in (await plan(around.format(product))).tools}


async def test_words_that_name_many_things_are_not_all_believed() -> None:
    text = "An agent writes the plan, another one looks at the table of results and a third one sums it up."
    assert len((await plan(text)).tools) <= 5


def test_a_small_word_of_a_language_is_no_english_tool() -> None:
    assert "logistics" not in read("De agent van de school leest het huiswerk van de leerling.").found("tools")
    assert "logistics" in read("The van is late.").found("tools")
