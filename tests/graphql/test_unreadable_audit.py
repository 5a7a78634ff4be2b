"""Entries of the audit log that somebody has made unreadable: found by verifying, told of when asked for."""

import pytest

from tests import tampering
from tests.graphql.conftest import opened
from tests.graphql.world import Client
from tests.storage import worlds
from windtunnel.domain.audit import AuditAction, AuditDraft
from windtunnel.domain.entities import Kind, Subject
from windtunnel.domain.ids import new_id
from windtunnel.storage import audit
from windtunnel.storage.store import Store, open_store

NO_TEXT = "CAST(x'fffe' AS TEXT)"
TAMPERED = "UPDATE audit_entries SET {} = {} WHERE seq = 2"


async def two_entries(store: Store) -> None:
    viewer = await worlds.demo(store)
    for _ in range(2):
        await audit.append(
            store, viewer.tenant_id, AuditDraft(AuditAction.TOKEN_ISSUED, Subject(Kind.API_TOKEN, new_id()), reason="r")
        )


async def tamper(database_url: str, column: str, value: str) -> None:
    owner = await open_store(database_url, role=None)
    try:
        await tampering.disarm(owner)
        await owner.fetch(TAMPERED.format(column, value))
    finally:
        await owner.close()


async def found_and_told(client: Client) -> None:
    verdict = (await client.get("{ verifyAudit { valid brokenAtSeq } }"))["verifyAudit"]
    assert verdict == {"valid": False, "brokenAtSeq": 2}
    answer = await client.ask("{ auditLog { nodes { seq action reason subjectId details at } } }")
    assert answer.codes == ["UNAVAILABLE"]
    assert "Entry 2 of the audit log cannot be shown" in answer.messages[0]


@pytest.mark.parametrize(
    ("column", "value"),
    [("action", "'PARTY'"), ("subject_kind", "'Ghost'"), ("at_ms", str(2**62)), ("details", "'{1'")],
)
async def test_values_that_mean_nothing(client: Client, database_url: str, column: str, value: str) -> None:
    await two_entries(client.services.store)
    await tamper(database_url, column, value)
    await found_and_told(client)


async def test_bytes_that_are_no_text(sqlite_url: str) -> None:
    store = await open_store(sqlite_url)  # PostgreSQL holds no such text
    try:
        async with opened(store) as services:
            client = Client(services, await worlds.demo(store))
            await two_entries(store)
            await tamper(sqlite_url, "reason", NO_TEXT)
            await found_and_told(client)
            await two_entries(store)  # the log goes on, and reads its texts as before
    finally:
        await store.close()
