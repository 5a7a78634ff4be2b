"""SVG elements as text that is escaped by type: whatever is not Markup already is escaped when it enters one."""

from collections.abc import Iterable

from markupsafe import Markup, escape

from windtunnel.drawing.geometry import number
from windtunnel.drawing.text import clean

SVG_NAMESPACE = "http://www.w3.org/2000/svg"


def tag(name: str, *children: str, **attributes: str | float | None) -> Markup:
    """`<name attributes>children</name>`.

    Attribute names are written with `_` for `-` (a trailing `_` is dropped: `class_`); None leaves one out.
    Plain strings among the children are cleaned and escaped.
    """
    written = Markup("").join(
        Markup(' {}="{}"').format(key.rstrip("_").replace("_", "-"), _value(value))
        for key, value in attributes.items()
        if value is not None
    )
    inner = join(children)
    if not inner:
        return Markup("<{}{}/>").format(name, written)
    return Markup("<{0}{1}>{2}</{0}>").format(name, written, inner)


def join(children: Iterable[str]) -> Markup:
    """Children one after the other, the plain strings among them cleaned and escaped."""
    return Markup("").join(child if isinstance(child, Markup) else escape(clean(child)) for child in children)


def _value(value: str | float) -> Markup:
    if isinstance(value, str):
        return value if isinstance(value, Markup) else escape(clean(value))
    return escape(number(value))


def title(*lines: str) -> Markup:
    """A tooltip, also read aloud by screen readers; empty lines are left out."""
    text = Markup("\n").join(escape(clean(line)) for line in lines if clean(line))
    return tag("title", text)


def text(words: str, x: float, y: float, class_: str, anchor: str | None = None) -> Markup:
    """One line of text at its baseline."""
    return tag("text", words, x=x, y=y, class_=class_, text_anchor=anchor)
