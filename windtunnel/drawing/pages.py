"""Templates of HTML reports: everything escaped, nothing undefined, text cleaned of what reorders its surroundings."""

from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from windtunnel.drawing.palette import color_of
from windtunnel.drawing.text import clean
from windtunnel.drawing.words import count, duration, role_word, share


@cache
def page(name: str) -> Template:
    """A template of `templates` by its file name."""
    environment = Environment(
        loader=PackageLoader("windtunnel.drawing", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "color": color_of, "count": count, "duration": duration, "role": role_word, "share": share,
        "word": lambda member: member.value.replace("_", " ").lower(),
    }  # fmt: skip
    return environment.get_template(name)


def _shown(value: Any) -> Any:
    """Text as it may be shown: without what reorders or hides its surroundings; lines stay lines."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return "\n".join(clean(line) for line in value.splitlines())
    return value
