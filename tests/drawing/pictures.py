"""Reading SVG pictures back."""

from collections.abc import Iterator
from xml.etree import ElementTree as ET

NAMESPACE = "{http://www.w3.org/2000/svg}"
ELEMENTS = {"svg", "g", "path", "rect", "circle", "text", "title", "desc", "style"}
ATTRIBUTES = {
    "aria-label", "class", "cx", "cy", "d", "height", "r", "role", "rx", "text-anchor", "transform", "viewBox",
    "width", "x", "y",
}  # fmt: skip


def read(picture: str) -> ET.Element:
    """The root; fails on anything that is no well-formed XML."""
    return ET.fromstring(picture)


def assert_inert(picture: str) -> None:
    """Only drawing: no scripts, no links, no references, nothing fetched, nothing that reacts."""
    for element in read(picture).iter():
        assert element.tag.removeprefix(NAMESPACE) in ELEMENTS, element.tag
        assert set(element.attrib) <= ATTRIBUTES, element.attrib
    style = next(read(picture).iter(f"{NAMESPACE}style")).text or ""
    assert "url(" not in style
    assert "@import" not in style


def of_class(picture: str, name: str) -> Iterator[ET.Element]:
    """The elements of a class."""
    return (element for element in read(picture).iter() if name in element.get("class", "").split())


def words_of(picture: str, name: str) -> list[str]:
    """What the texts of a class say."""
    return [element.text or "" for element in of_class(picture, name)]


def titles(picture: str) -> list[str]:
    """All tooltips."""
    return [element.text or "" for element in read(picture).iter(f"{NAMESPACE}title")]
