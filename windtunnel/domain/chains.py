"""Checking an audit chain: each entry against its hash, its predecessor and the checkpoints kept outside."""

from collections.abc import Iterable
from dataclasses import dataclass

from windtunnel.domain.audit import GENESIS_HASH, AuditEntry, is_intact
from windtunnel.domain.checkpoints import Checkpoint
from windtunnel.domain.policy import AUDIT_CHECKPOINT_AFTER_S, AUDIT_CHECKPOINT_EVERY, AUDIT_CHECKPOINT_SLACK_S

_AFTER_MS, _SLACK_MS = int(AUDIT_CHECKPOINT_AFTER_S * 1000), int(AUDIT_CHECKPOINT_SLACK_S * 1000)


@dataclass(frozen=True, slots=True)
class Break:
    """Entry `seq` is the first at which something disagrees; `reason` says what, as the rest of a sentence."""

    seq: int
    reason: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known from outside: checkpoints whose signatures hold, and what is wrong with them (`refused`).

    `kept`: checkpoints are kept there at all. They had seen everything that was recorded until `complete_ms`; None
    when that is not known.
    """

    checkpoints: tuple[Checkpoint, ...] = ()
    refused: tuple[Break, ...] = ()
    kept: bool = False
    complete_ms: int | None = None


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
        self._longest = max(self._seen, default=0)
        self._unseen_ms: int | None = None
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
            if entry.seq == self._longest + 1 and isinstance(entry.at_ms, int):  # whatever somebody may have written
                self._unseen_ms = entry.at_ms
            if self._broken is None:
                self._broken = self._break_at(entry)
            self._seq, self._hash = entry.seq, entry.hash

    def verdict(self, now_ms: int = 0) -> Verdict:
        """What was found, once the last entry was followed. By `now_ms` some checkpoints must have been written."""
        found = [*self._evidence.refused, *([self._broken] if self._broken else [])]
        if self._longest > self._seq:
            reason = f"is missing, as is all that followed: a checkpoint has seen {_entries(self._longest)}"
            found.append(Break(self._seq + 1, reason))
        if self._is_overdue(now_ms):
            found.append(Break(self._longest + 1, "should be covered by a checkpoint by now, but there is none"))
        return Verdict(
            entries=self._entries,
            head=self._head,
            checkpoints=len(self._evidence.checkpoints),
            broken=min(found, key=lambda each: each.seq, default=None),
        )

    def _is_overdue(self, now_ms: int) -> bool:
        """Whether there is no checkpoint of an entry that must have one."""
        evidence = self._evidence
        if not evidence.kept or self._unseen_ms is None:
            return False
        if evidence.complete_ms is not None:
            return self._unseen_ms + _SLACK_MS <= evidence.complete_ms
        late = self._unseen_ms + _AFTER_MS + _SLACK_MS <= now_ms or self._entries >= AUDIT_CHECKPOINT_EVERY
        return not evidence.checkpoints and late

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


def _entries(count: int) -> str:
    return f"{count} entry" if count == 1 else f"{count} entries"
