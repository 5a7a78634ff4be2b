"""Checking an audit chain: each entry against its hash, its predecessor and the checkpoints kept outside."""

from collections.abc import Iterable
from dataclasses import dataclass

from windtunnel.domain.audit import GENESIS_HASH, AuditEntry, is_intact
from windtunnel.domain.checkpoints import Checkpoint


@dataclass(frozen=True, slots=True)
class Break:
    """Entry `seq` is the first at which something disagrees; `reason` says what, as the rest of a sentence."""

    seq: int
    reason: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known from outside: checkpoints whose signatures hold, and those that are `refused`."""

    checkpoints: tuple[Checkpoint, ...] = ()
    refused: tuple[Break, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What checking a chain has found. `head` is the hash of its last entry, None for an empty chain."""

    entries: int
    head: str | None
    checkpoints: int
    broken: Break | None

    @property
    def valid(self) -> bool:
        """True when nothing disagrees."""
        return self.broken is None


class ChainCheck:
    """Follows a chain from its first entry, or from after one that is known: its number and hash.

    The chain alone shows an edited entry and a missing one. That its end was cut off, or that all of it was written
    anew, shows only by the evidence.
    """

    def __init__(self, evidence: Evidence | None = None, *, after_seq: int = 0, after_hash: str = GENESIS_HASH) -> None:
        self._evidence = evidence or Evidence()
        self._seen: dict[int, list[str]] = {}
        for checkpoint in self._evidence.checkpoints:
            self._seen.setdefault(checkpoint.size, []).append(checkpoint.hash)
        self._entries = 0
        self._seq = after_seq
        self._hash = after_hash
        self._head: str | None = None
        self._broken: Break | None = None

    def follow(self, entries: Iterable[AuditEntry]) -> None:
        """Check the next entries. After the first break they are only counted."""
        for entry in entries:
            self._entries += 1
            self._head = entry.hash
            if self._broken is None:
                self._broken = self._break_at(entry)
            self._seq, self._hash = entry.seq, entry.hash

    def verdict(self) -> Verdict:
        """What was found, once the last entry was followed."""
        found = [*self._evidence.refused, *([self._broken] if self._broken else [])]
        longest = max(self._seen, default=0)
        if longest > self._seq:
            reason = f"is missing, as is all that followed: a checkpoint has seen {longest} entries"
            found.append(Break(self._seq + 1, reason))
        return Verdict(
            entries=self._entries,
            head=self._head,
            checkpoints=len(self._evidence.checkpoints),
            broken=min(found, key=lambda each: each.seq, default=None),
        )

    def _break_at(self, entry: AuditEntry) -> Break | None:
        expected = self._seq + 1
        if entry.seq != expected:
            return Break(expected, "is missing")
        if not is_intact(entry):
            return Break(expected, "was edited: it does not have the hash of what it says")
        if entry.previous_hash != self._hash:
            return Break(expected, "does not follow the entry before it")
        if any(seen != entry.hash for seen in self._seen.get(entry.seq, ())):
            return Break(expected, "is not the one that a checkpoint has seen: the chain was written anew")
        return None
