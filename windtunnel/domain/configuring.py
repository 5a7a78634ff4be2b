"""Configuring production: which entries are accepted, and what a request for some changes in what there is."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from windtunnel.domain.errors import QuotaError, ValidationError
from windtunnel.domain.policy import (
    PRODUCTION_CLEAR_MAX_BYTES,
    PRODUCTION_ENTRIES_PER_TENANT,
    PRODUCTION_VALUE_MAX_BYTES,
)
from windtunnel.domain.production import Entry, Snapshot, shown
from windtunnel.domain.scenarios import check_storable

_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,199}")


@dataclass(frozen=True, slots=True)
class EntryRequest:
    """An entry that somebody wants to have. `secret` None: as it was, in clear when it is new."""

    key: str
    value: str = field(repr=False)
    secret: bool | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of a configuration: entries that are `put`, keys that are `removed`; both sorted by key."""

    put: tuple[Entry, ...]
    removed: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.put or self.removed)


def check_request(wanted: Sequence[EntryRequest], unset: Sequence[str]) -> None:
    """Raise ValidationError unless each key is named once and can be one, and each value can be stored."""
    if max(len(wanted), len(unset)) > PRODUCTION_ENTRIES_PER_TENANT:
        raise ValidationError(
            f"At most {PRODUCTION_ENTRIES_PER_TENANT} entries can be set and unset at once.",
            rule="too_many_entries",
            path=("input", "set" if len(wanted) > PRODUCTION_ENTRIES_PER_TENANT else "unset"),
        )
    named = set(unset)
    for place, entry in enumerate(wanted):
        path = ("input", "set", str(place))
        if not _KEY.fullmatch(entry.key):
            raise ValidationError(
                "A key has 1 to 200 letters, digits, dots, hyphens and underscores, a letter first.",
                rule="bad_key",
                path=(*path, "key"),
            )
        if entry.key in named:
            raise ValidationError("A key is set once, or unset.", rule="key_repeated", path=(*path, "key"))
        named.add(entry.key)
        check_storable(entry.value, (*path, "value"))
        if len(entry.value.encode()) > PRODUCTION_VALUE_MAX_BYTES:
            raise ValidationError(
                f"A value has at most {PRODUCTION_VALUE_MAX_BYTES // 1024} KiB in UTF-8.",
                rule="string_too_long",
                path=(*path, "value"),
            )


def change_of(before: Snapshot, wanted: Iterable[Entry], unset: Iterable[str]) -> Change:
    """What must be done so that the wanted entries are there, and none of those in `unset`."""
    known = before.by_key
    put = sorted((entry for entry in wanted if known.get(entry.key) != entry), key=lambda entry: entry.key)
    return Change(tuple(put), tuple(sorted(known.keys() & set(unset))))


def after(before: Snapshot, change: Change) -> Snapshot:
    """The configuration after a change. Raises QuotaError when it would be too large."""
    entries = {key: entry for key, entry in before.by_key.items() if key not in change.removed}
    entries |= {entry.key: entry for entry in change.put}
    if len(entries) > PRODUCTION_ENTRIES_PER_TENANT:
        raise QuotaError(
            f"Production has at most {PRODUCTION_ENTRIES_PER_TENANT} entries. Unset those that nothing needs.",
            limit=PRODUCTION_ENTRIES_PER_TENANT,
            used=len(before.entries),
            path=("input", "set"),
        )
    found = Snapshot.of(before.revision + 1, entries.values())
    if _clear_bytes(found) > PRODUCTION_CLEAR_MAX_BYTES:
        raise QuotaError(
            f"The keys, and the values that are no secrets, have at most {PRODUCTION_CLEAR_MAX_BYTES // 1024} KiB"
            " together. Keep large things elsewhere and name them here.",
            limit=PRODUCTION_CLEAR_MAX_BYTES,
            used=_clear_bytes(before),
            path=("input", "set"),
        )
    return found


def on_record(before: Snapshot, change: Change) -> dict[str, object]:
    """What the audit log keeps of a change: all keys, and values that are in clear.

    A value that was in clear is not told of what becomes a secret: it may be the same.
    """
    known, put = before.by_key, {entry.key: entry for entry in change.put}
    hidden = {key for key, entry in put.items() if entry.secret}
    return {
        "revision": before.revision + 1,
        "set": [*put],
        "unset": [*change.removed],
        "from": [_fact(known[key], key in hidden) for key in (*put, *change.removed) if key in known],
        "to": [_fact(entry, key in hidden) for key, entry in put.items()],
    }


def _fact(entry: Entry, hidden: bool) -> dict[str, object]:
    value = {} if entry.value is None or hidden else {"value": shown(entry.value)}
    return {"key": entry.key, "secret": entry.secret, **value}


def _clear_bytes(snapshot: Snapshot) -> int:
    return sum(len(entry.key) + len((entry.value or "").encode()) for entry in snapshot.entries)
