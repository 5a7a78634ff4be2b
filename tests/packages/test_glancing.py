"""A glance at a package: its classification, or nothing, whatever else is wrong with it."""

from io import BytesIO

import pytest

from tests.packages.archives import Part, archive
from tests.packages.world import MANIFEST, package, raw
from windtunnel.packages.glancing import classification_in


def seen(data: bytes) -> str | None:
    return classification_in(BytesIO(data))


@pytest.mark.parametrize("classification", ["public", "internal", "confidential", "restricted"])
def test_what_the_manifest_says(classification: str) -> None:
    data = MANIFEST["data"] | {"classification": classification}
    assert seen(package(data=data)) == classification
    assert seen(package(data=data, version="nonsense")) == classification


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no archive",
        archive([Part("a.txt", b"")]),
        raw(b""),
        raw(b"[]"),
        raw(b"{}"),
        raw(b'{"data": 1}'),
        raw(b'{"data": {"classification": ["internal"]}}'),
        raw(b'{"data": {"classification": "secret"}}'),
        raw(b" " * 3_000_000),
        package()[:200],
    ],
)
def test_nothing_from_what_cannot_be_read(data: bytes) -> None:
    assert seen(data) is None
