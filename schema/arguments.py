"""Looking through the arguments of a field, however deep in inputs and lists they are."""

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass

from schema.ids import decode
from windtunnel.domain.entities import Subject


def texts(value: object, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """Every text in the arguments, with the path to it."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            yield from texts(inner, (*path, name))
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from texts(inner, (*path, str(place)))
    elif is_dataclass(value):
        for field in fields(value):
            yield from texts(getattr(value, field.name), (*path, field.name))


def aimed_at(arguments: Mapping[str, object]) -> Subject | None:
    """The first thing that the arguments name by a global id, None when they name none."""
    for _, text in texts(arguments):
        if named := decode(text):
            return Subject(*named)
    return None
