"""Details of audit entries, all spelt as in the GraphQL schema: keys, ids and times."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime

from windtunnel.domain.entities import Subject

_KEY = re.compile(r"[a-z][A-Za-z0-9]*")


def spelt(details: Mapping[str, object]) -> dict[str, object]:
    """`details` as they are kept: a Subject becomes its global id, a datetime RFC 3339 with milliseconds, in UTC.

    Raises ValueError for a key that is not camelCase, for one that ends with Id but has no Subject (ids as stored mean
    nothing to clients), and for a datetime without an offset: such an entry must not get into a chain that nobody can
    correct. What people have named themselves is a value, never a key.
    """
    return {_checked(key, value): _spelt(value) for key, value in details.items()}


def _checked(key: str, value: object) -> str:
    if not _KEY.fullmatch(key):
        raise ValueError(f"the audit detail {key!r} is not in camelCase")
    if key.endswith("Id") and not isinstance(value, Subject | None):
        raise ValueError(f"the audit detail {key!r} is no Subject")
    return key


def _spelt(value: object) -> object:
    if isinstance(value, Subject):
        return value.global_id
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError("a time among audit details has no offset")
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, Mapping):
        return spelt(value)
    if isinstance(value, list | tuple):
        return [_spelt(item) for item in value]
    return value
