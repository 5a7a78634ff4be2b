"""The four tamperings, done to the tables past every guard: two show in the chain, two only by the checkpoints."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import tampering
from tests.storage import worlds
from windtunnel.domain.audit import AuditAction, AuditDraft
from windtunnel.domain.chains import Verdict
from windtunnel.domain.entities import Kind, Subject
from windtunnel.domain.ids import new_id
from windtunnel.operations.checkpoint_audit import ChainBrokenError, checkpoint_audit
from windtunnel.operations.verify_audit import check_chain
from windtunnel.storage import audit
from windtunnel.storage.audit_chains import Chain, chains
from windtunnel.storage.store import Store, open_store
from windtunnel.vault.checkpoints import CheckpointFiles

ENTRIES, SEEN = 230, 200


@pytest.fixture
def files(tmp_path: Path) -> CheckpointFiles:
    return CheckpointFiles(tmp_path / "audit", tmp_path / "keys" / "audit.key")


@pytest.fixture
def attacker(database_url: str, store: Store, runner: asyncio.Runner) -> Iterator[Store]:
    """The same database, in the hands of its owner."""
    del store  # has been opened first
    owned = runner.run(open_store(database_url, role=None))
    yield owned
    runner.run(owned.close())


async def written(store: Store, files: CheckpointFiles) -> str:
    """A chain of ENTRIES, of which checkpoints have seen the hundredth and the two hundredth; its tenant."""
    viewer = await worlds.demo(store)
    for number in range(ENTRIES):
        draft = AuditDraft(AuditAction.TOKEN_ISSUED, Subject(Kind.API_TOKEN, new_id()), reason=f"reason {number}")
        await audit.append(store, viewer.tenant_id, draft)
    due = await checkpoint_audit(store, files, await chain_of(store), None, to_the_end=False)
    assert [each.size for each in due] == [100, SEEN]
    return viewer.tenant_id


async def chain_of(store: Store) -> Chain:
    (chain,) = await chains(store)
    return chain


async def verdicts(store: Store, files: CheckpointFiles, tenant_id: str) -> tuple[int | None, int | None]:
    """Where it breaks: by the chain alone, and by chain and checkpoints."""
    found = [await check_chain(store, each, tenant_id) for each in (None, files)]
    alone, both = (verdict.broken.seq if verdict.broken else None for verdict in found)
    return alone, both


async def test_untouched(store: Store, files: CheckpointFiles) -> None:
    tenant_id = await written(store, files)
    last = (await audit.read(store, tenant_id, ENTRIES - 1, 1))[0]
    assert await check_chain(store, files, tenant_id) == Verdict(ENTRIES, last.hash, 2, None)
    assert await check_chain(store, None, tenant_id) == Verdict(ENTRIES, last.hash, 0, None)


async def test_an_edited_entry(store: Store, attacker: Store, files: CheckpointFiles) -> None:
    tenant_id = await written(store, files)
    await tampering.disarm(attacker)
    original = (await audit.read(store, tenant_id, 49, 1))[0]
    for column, value in {
        "id": new_id(),
        "at_ms": original.at_ms + 1,
        "actor_id": (await worlds.demo(store)).user.id,
        "token_id": new_id(),
        "action": AuditAction.TOKEN_REVOKED.value,
        "subject_kind": "Scenario",
        "subject_id": new_id(),
        "reason": None,
        "request_id": "another",
        "details": '{"a":1}',
        "previous_hash": "0" * 63 + "1",
        "hash": "1" * 64,
    }.items():
        await tampering.edit(attacker, tenant_id, 50, column, value)
        assert await verdicts(store, files, tenant_id) == (50, 50), column
        await tampering.edit(attacker, tenant_id, 50, column, getattr(original, column))
    assert await verdicts(store, files, tenant_id) == (None, None)


async def test_a_removed_entry(store: Store, attacker: Store, files: CheckpointFiles) -> None:
    tenant_id = await written(store, files)
    await tampering.disarm(attacker)
    await tampering.remove(attacker, tenant_id, 50)
    assert await verdicts(store, files, tenant_id) == (50, 50)
    verdict = await check_chain(store, files, tenant_id)
    assert verdict.broken
    assert verdict.broken.reason == "is missing"


async def test_a_cut_tail(store: Store, attacker: Store, files: CheckpointFiles) -> None:
    tenant_id = await written(store, files)
    await tampering.disarm(attacker)
    await tampering.cut(attacker, tenant_id, 150)
    assert await verdicts(store, files, tenant_id) == (None, 151)
    await audit.append(store, tenant_id, AuditDraft(AuditAction.TOKEN_ISSUED, Subject(Kind.API_TOKEN, new_id())))
    assert await verdicts(store, files, tenant_id) == (None, 152)
    with pytest.raises(ChainBrokenError):
        await checkpoint_audit(store, files, await chain_of(store), files.last(tenant_id), to_the_end=True)
    await tampering.cut(attacker, tenant_id, 0)
    assert await verdicts(store, files, tenant_id) == (None, 1)


async def test_a_chain_written_anew(store: Store, attacker: Store, files: CheckpointFiles) -> None:
    tenant_id = await written(store, files)
    await tampering.disarm(attacker)
    await tampering.rewrite(attacker, tenant_id, 110, "nothing happened")
    assert await verdicts(store, files, tenant_id) == (None, SEEN)
    with pytest.raises(ChainBrokenError):
        await checkpoint_audit(store, files, await chain_of(store), files.last(tenant_id), to_the_end=True)
    assert len(files.read(tenant_id).checkpoints) == 2  # nothing was signed
    await tampering.rewrite(attacker, tenant_id, 5, "nothing happened")
    assert await verdicts(store, files, tenant_id) == (None, 100)


async def test_checkpoints_of_another_key(store: Store, files: CheckpointFiles, tmp_path: Path) -> None:
    tenant_id = await written(store, files)
    (tmp_path / "keys" / "audit.key").unlink()
    forger = CheckpointFiles(tmp_path / "audit", tmp_path / "keys" / "audit.key")
    assert await verdicts(store, forger, tenant_id) == (None, None)  # by the public key beside the checkpoints
    await checkpoint_audit(store, forger, await chain_of(store), None, to_the_end=True)  # makes another key
    verdict = await check_chain(store, forger, tenant_id)
    assert verdict.broken
    assert (verdict.broken.seq, verdict.checkpoints) == (100, 3)
    assert verdict.broken.reason == "has a checkpoint that is not signed by this server's key"
