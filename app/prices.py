"""The user's price table: what a model's tokens cost."""

import tomllib
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from app.settings import Settings, SettingsError
from windtunnel.domain.prices import ModelPrice

_PRICES = TypeAdapter(dict[str, ModelPrice])


def price_of_model(settings: Settings) -> ModelPrice | None:
    """What the model costs by the user's table; None without a table, or when the model is not in it."""
    return load_prices(settings.prices).get(settings.model)


def load_prices(path: Path | None) -> dict[str, ModelPrice]:
    """The user's price table: a TOML with one table per model, `input` and `output` in USD per million tokens."""
    if path is None:
        return {}
    try:
        return _PRICES.validate_python(tomllib.loads(path.read_text("utf-8")))
    except OSError as error:
        reason = error.strerror or str(error)
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        reason = str(error).splitlines()[0].rstrip(".")
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        reason = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    raise SettingsError(
        f"WINDTUNNEL_PRICES={str(path)!r} is refused: {reason}; allowed: a TOML file with tables like "
        "[gpt-5-mini] input = 0.25, output = 2.0 (USD per million tokens)."
    )
