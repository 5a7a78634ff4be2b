"""The user's price table."""

from pathlib import Path

import pytest

from app.prices import load_prices, price_of_model
from app.settings import SettingsError, load_settings
from windtunnel.domain.prices import ModelPrice


def test_prices_come_from_the_users_table(tmp_path: Path) -> None:
    table = tmp_path / "prices.toml"
    table.write_text("[small]\ninput = 0.25\noutput = 2.0\n")
    assert load_prices(table) == {"small": ModelPrice(0.25, 2.0)}
    assert load_prices(None) == {}
    assert price_of_model(load_settings(prices=table, model="small")) == ModelPrice(0.25, 2.0)
    assert price_of_model(load_settings(prices=table, model="other")) is None


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("[small]\ninput = 'much'\n", "small.input: "),
        ("not toml", "Expected '='"),
        (None, "No such file or directory; "),
    ],
)
def test_a_bad_price_table_is_one_sentence(tmp_path: Path, content: str | None, reason: str) -> None:
    table = tmp_path / "prices.toml"
    if content is not None:
        table.write_text(content)
    with pytest.raises(SettingsError) as refused:
        load_prices(table)
    sentence = str(refused.value)
    assert sentence.startswith(f"WINDTUNNEL_PRICES={str(table)!r} is refused: {reason}")
    assert "\n" not in sentence
    assert sentence.count("prices.toml") == 1
