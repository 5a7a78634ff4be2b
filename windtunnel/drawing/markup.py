"""SVG elements as text that is escaped by type: whatever is not Markup already is escaped when it enters one."""

from collections.abc import Iterable

from markupsafe import Markup, escape

from windtunnel.drawing.geometry import number
from windtunnel.drawing.text import clean

SVG_NAMESPACE = "http://www.w3.org/2000/svg"


def tag(name: str, *children: str, **attributes: str | float | None) -> Markup:
    """`<name attributes>children</name>`.

    Attribute names are written with `_` for `-` (a trailing `_` is dropped: `class_`); None leaves one out.
    Plain strings among children and attributes are cleaned and escaped.
    """
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{number(value) if isinstance(value, float | int) else _escaped(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    inner = join(children)
    # Made of escaped parts only, and this is where nearly all Markup is made; formatting it with Markup costs 5 times.
    return Markup(f"<{name}{written}>{inner}</{name}>" if inner else f"<{name}{written}/>")  # noqa: S704


def join(children: Iterable[str]) -> Markup:
    """Children one after the other, the plain strings among them cleaned and escaped."""
    return Markup("".join(map(_escaped, children)))  # noqa: S704


def title(*lines: str) -> Markup:
    """A tooltip, also read aloud by screen readers; empty lines are left out."""
    return tag("title", Markup("\n").join(filter(None, map(clean, lines))))


def text(words: str, x: float, y: float, class_: str, anchor: str | None = None) -> Markup:
    """One line of text at its baseline."""
    return tag("text", words, x=x, y=y, class_=class_, text_anchor=anchor)


def _escaped(words: str) -> str:
    return words if isinstance(words, Markup) else str(escape(clean(words)))
