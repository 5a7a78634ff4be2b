"""Global ids: opaque text that names one entity, its kind included."""

import re

import strawberry

from windtunnel.domain.entities import Kind, Subject
from windtunnel.domain.errors import NotFoundError
from windtunnel.domain.ids import is_id
from windtunnel.domain.opaque import read_opaque, write_opaque

__all__ = ["Kind", "decode", "demand", "encode", "is_id", "raw_of", "read_opaque", "write_opaque"]


def encode(kind: Kind, raw: str) -> strawberry.ID:
    """The global id of the `kind` whose stored id is `raw`."""
    return strawberry.ID(Subject(kind, raw).global_id)


def decode(given: str) -> tuple[Kind, str] | None:
    """The kind and the stored id that a global id names; None when it is none of ours."""
    kind, colon, raw = (read_opaque(given) or "").partition(":")
    if not colon or kind not in Kind.__members__.values() or not is_id(raw):
        return None
    return Kind(kind), raw


def raw_of(kind: Kind, given: str) -> str | None:
    """The stored id that `given` names, None when it names no `kind`."""
    found = decode(given)
    return found[1] if found and found[0] is kind else None


def demand(kind: Kind, given: str, path: tuple[str, ...]) -> str:
    """The stored id that `given` names, or NotFoundError: what names no `kind` cannot exist."""
    found = decode(given)
    if found and found[0] is kind:
        return found[1]
    hint = f"it is the id of another kind, {found[0]}" if found else "ids are what answers have as `id`"
    what = re.sub("(?<=[a-z])(?=[A-Z])", " ", kind).lower()
    raise NotFoundError(f"There is no {what} with this id: {hint}.", resource_id=given, path=path)
