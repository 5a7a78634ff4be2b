"""How production is configured: its entries, a snapshot of them that others copy, and where a copy has drifted."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import Self

import orjson

SECRET = "secret"  # noqa: S105 - what is shown in its place
CHANGED_SECRET = "secret, changed"  # noqa: S105
IN_CLEAR = "in clear"
SHOWN_MAX_CHARS = 1_000


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry: its `value`, or of a secret the `fingerprint` of its value, which only a vault's key can make."""

    key: str
    value: str | None = None
    fingerprint: str | None = None

    @property
    def secret(self) -> bool:
        """Whether the value is shown to nobody."""
        return self.fingerprint is not None


@dataclass(frozen=True)
class Snapshot:
    """The configuration at one moment; get it from `of`. `revision` is 0 before the first change.

    Two with the same entries have the same digest, whatever their revisions.
    """

    revision: int
    entries: tuple[Entry, ...]

    @classmethod
    def of(cls, revision: int, entries: Iterable[Entry]) -> Self:
        """These entries, in whatever order, each key once."""
        return cls(revision, tuple(sorted(entries, key=lambda entry: entry.key)))

    @classmethod
    def read(cls, revision: int, canonical: str) -> Self:
        """The reverse of `canonical`."""
        found: dict[str, dict[str, str]] = orjson.loads(canonical)
        return cls.of(revision, (Entry(key, **kept) for key, kept in found.items()))

    @property
    def by_key(self) -> Mapping[str, Entry]:
        """The entries by their keys, in order."""
        return {entry.key: entry for entry in self.entries}

    @cached_property
    def canonical(self) -> str:
        """RFC 8785 JSON of the entries: `{"KEY": {"value": "..."}, "SECRET": {"fingerprint": "..."}}`."""
        # Keys in ASCII and texts come out of orjson exactly as RFC 8785 has them, much sooner.
        return orjson.dumps({entry.key: _kept(entry) for entry in self.entries}, option=orjson.OPT_SORT_KEYS).decode()

    @cached_property
    def digest(self) -> str:
        """SHA-256 of `canonical`, in hex: equal exactly for snapshots without drift between them."""
        return sha256(self.canonical.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Drift:
    """An entry that is not the same in production and in the environment, in words; None where there is none."""

    key: str
    production: str | None
    environment: str | None


def drift(environment: Snapshot, production: Snapshot) -> tuple[Drift, ...]:
    """Where the environment's copy is not what production is now, by key.

    Of a secret nothing is told but that it is one, or another one than before; nor is what was in clear and is a
    secret now: it may be the same.
    """
    copied, current = environment.by_key, production.by_key
    return tuple(
        Drift(key, _now(current.get(key), copied.get(key)), _then(copied.get(key), current.get(key)))
        for key in sorted(copied.keys() | current.keys())
        if copied.get(key) != current.get(key)
    )


def shown(value: str) -> str:
    """A value in a list of changes: the beginning of a long one, with what tells it from others that begin so."""
    if len(value) <= SHOWN_MAX_CHARS:
        return value
    return f"{value[:SHOWN_MAX_CHARS]}... ({len(value):,} characters, SHA-256 {sha256(value.encode()).hexdigest()})"


def place_of_secret(tenant_id: str, key: str) -> tuple[str, ...]:
    """Where a sealed value and its fingerprint belong: anywhere else they are worth nothing."""
    return ("production_entries", tenant_id, key)


def _now(entry: Entry | None, copied: Entry | None) -> str | None:
    if entry is None:
        return None
    if entry.value is not None:
        return shown(entry.value)
    return CHANGED_SECRET if copied is not None and copied.secret else SECRET


def _then(entry: Entry | None, current: Entry | None) -> str | None:
    if entry is None:
        return None
    if entry.value is None:
        return SECRET
    return IN_CLEAR if current is not None and current.secret else shown(entry.value)


def _kept(entry: Entry) -> dict[str, str]:
    return {"value": entry.value} if entry.value is not None else {"fingerprint": entry.fingerprint or ""}
