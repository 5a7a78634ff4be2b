"""Writing checkpoints of an audit chain: what the database says now is signed and kept outside of it."""

import asyncio

from windtunnel.domain.audit import GENESIS_HASH
from windtunnel.domain.chains import Break, ChainCheck
from windtunnel.domain.checkpoints import Checkpoint
from windtunnel.domain.policy import AUDIT_CHECKPOINT_EVERY
from windtunnel.storage import audit_chains
from windtunnel.storage.audit_chains import Chain
from windtunnel.storage.store import Store
from windtunnel.vault.checkpoints import CheckpointFiles


class ChainBrokenError(Exception):
    """A chain does not continue the one of its last checkpoint: it is not signed."""

    def __init__(self, broken: Break) -> None:
        super().__init__(f"entry {broken.seq} {broken.reason}")
        self.broken = broken


async def checkpoint_audit(
    store: Store, files: CheckpointFiles, chain: Chain, after: Checkpoint | None, *, to_the_end: bool
) -> list[Checkpoint]:
    """The checkpoints that were due and are written now: of every hundredth entry, and of the last `to_the_end`.

    `after` is the last one that was written. Raises ChainBrokenError for a chain that does not continue it,
    UnavailableError, OSError and KeyRefusedError.
    """
    size, head = (after.size, after.hash) if after else (0, GENESIS_HASH)
    if chain.seq < size:
        raise ChainBrokenError(Break(chain.seq + 1, f"is missing: a checkpoint has seen {size} entries"))
    if chain.seq == size and chain.hash != head:
        raise ChainBrokenError(Break(size, "is not the one that a checkpoint has seen"))
    first = size - size % AUDIT_CHECKPOINT_EVERY + AUDIT_CHECKPOINT_EVERY
    wanted = {*range(first, chain.seq + 1, AUDIT_CHECKPOINT_EVERY), *([chain.seq] if to_the_end else [])} - {size}
    if not wanted:
        return []
    check, due = ChainCheck(after_seq=size, after_hash=head), []
    async for entries in audit_chains.stretch(store, chain.tenant_id, size, max(wanted)):
        check.follow(entries)
        due += [Checkpoint(chain.tenant_id, entry.seq, entry.hash) for entry in entries if entry.seq in wanted]
    if broken := check.verdict().broken:
        raise ChainBrokenError(broken)
    await asyncio.to_thread(files.append, chain.tenant_id, due)
    return due
