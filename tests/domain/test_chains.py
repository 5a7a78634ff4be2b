"""What the check of a chain sees, and what it can see only with evidence from outside."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from windtunnel.domain.audit import GENESIS_HASH, AuditEntry, hash_of
from windtunnel.domain.chains import Break, ChainCheck, Evidence, Verdict
from windtunnel.domain.checkpoints import Checkpoint
from windtunnel.domain.policy import AUDIT_CHECKPOINT_AFTER_S, AUDIT_CHECKPOINT_SLACK_S


def chained(count: int, word: str = "x", start: Sequence[AuditEntry] = ()) -> list[AuditEntry]:
    """A chain of `count` entries that begins with `start`."""
    entries = list(start)
    for seq in range(len(entries) + 1, count + 1):
        previous = entries[-1].hash if entries else GENESIS_HASH
        blank = AuditEntry("t", seq, f"{word}{seq}", seq, None, None, "A", "K", "s", None, "", "{}", previous, "")
        entries.append(replace(blank, hash=hash_of(blank)))
    return entries


def checked(entries: Sequence[AuditEntry], *seen: AuditEntry, refused: tuple[Break, ...] = ()) -> Verdict:
    check = ChainCheck(Evidence(tuple(Checkpoint("t", entry.seq, entry.hash) for entry in seen), refused))
    check.follow(entries[:2])
    check.follow(entries[2:])
    return check.verdict()


def overdue(entries: Sequence[AuditEntry], evidence: Evidence, now_ms: int = 0) -> int | None:
    check = ChainCheck(evidence)
    check.follow(entries)
    return broken_at(check.verdict(now_ms))


def broken_at(verdict: Verdict) -> int | None:
    assert verdict.valid == (verdict.broken is None)
    return verdict.broken.seq if verdict.broken else None


CHAIN = chained(6)


def test_what_nobody_touched_is_intact() -> None:
    assert checked(CHAIN, CHAIN[2], CHAIN[5]) == Verdict(6, CHAIN[5].hash, 2, None)
    assert checked([]) == Verdict(0, None, 0, None)


@pytest.mark.parametrize("place", range(6))
def test_an_edited_entry_is_seen(place: int) -> None:
    edited = [*CHAIN]
    edited[place] = replace(CHAIN[place], reason="another")
    assert broken_at(checked(edited)) == place + 1


def test_an_edited_entry_with_a_new_hash_breaks_the_chain_after_it() -> None:
    edited = replace(CHAIN[2], reason="another")
    entries = [*CHAIN[:2], replace(edited, hash=hash_of(edited)), *CHAIN[3:]]
    assert broken_at(checked(entries)) == 4
    assert broken_at(checked(entries, CHAIN[2])) == 3


@pytest.mark.parametrize("place", range(5))
def test_a_removed_entry_is_seen(place: int) -> None:
    verdict = checked([*CHAIN[:place], *CHAIN[place + 1 :]])
    assert verdict.broken == Break(place + 1, "is missing")
    assert verdict.entries == 5


def test_a_cut_tail_is_seen_only_from_outside() -> None:
    assert checked(CHAIN[:4]).valid
    assert broken_at(checked(CHAIN[:4], CHAIN[5])) == 5
    assert broken_at(checked([], CHAIN[5])) == 1


def test_a_chain_written_anew_is_seen_only_from_outside() -> None:
    anew = chained(6, "y")
    assert checked(anew).valid
    assert broken_at(checked(anew, CHAIN[2], CHAIN[5])) == 3
    grown = chained(8, "y", start=CHAIN[:4])
    assert broken_at(checked(grown, CHAIN[2], CHAIN[5])) == 6


def test_what_is_refused_counts_where_it_claims_to_be() -> None:
    assert broken_at(checked(CHAIN, CHAIN[5], refused=(Break(2, "is forged"),))) == 2
    edited = [replace(CHAIN[0], reason="another"), *CHAIN[1:]]
    assert broken_at(checked(edited, refused=(Break(2, "is forged"),))) == 1


def test_a_part_of_a_chain_can_be_followed() -> None:
    check = ChainCheck(after_seq=4, after_hash=CHAIN[3].hash)
    check.follow(CHAIN[4:])
    assert check.verdict() == Verdict(2, CHAIN[5].hash, 0, None)
    other = ChainCheck(after_seq=4, after_hash=GENESIS_HASH)
    other.follow(CHAIN[4:])
    assert broken_at(other.verdict()) == 5


SLACK_MS, AFTER_MS = int(AUDIT_CHECKPOINT_SLACK_S * 1000), int(AUDIT_CHECKPOINT_AFTER_S * 1000)


def test_without_a_checkpoint_a_chain_that_is_old_or_long_is_not_believed() -> None:
    kept = Evidence(kept=True)
    due = CHAIN[0].at_ms + AFTER_MS + SLACK_MS
    assert (overdue(CHAIN, kept, due - 1), overdue(CHAIN, kept, due)) == (None, 1)
    assert (overdue(chained(99), kept), overdue(chained(100), kept)) == (None, 1)
    assert overdue(chained(100), Evidence(), due) is None  # none are kept
    assert overdue([], kept, due) is None
    assert overdue(CHAIN, Evidence((Checkpoint("t", 1, CHAIN[0].hash),), kept=True), due) is None


def test_what_all_checkpoints_have_seen_must_be_in_one() -> None:
    third = Checkpoint("t", 3, CHAIN[2].hash)
    due = CHAIN[3].at_ms + SLACK_MS
    assert overdue(CHAIN, Evidence((third,), kept=True, complete_ms=due - 1)) is None
    assert overdue(CHAIN, Evidence((third,), kept=True, complete_ms=due)) == 4
    assert overdue(CHAIN[:3], Evidence((third,), kept=True, complete_ms=due)) is None
    assert overdue(chained(200), Evidence(kept=True, complete_ms=0), due + AFTER_MS) is None  # they will be written
