"""What one operation is denied is put on record once, and paid like a change."""

import json
from dataclasses import dataclass, replace

import pytest

from resolvers import viewers
from resolvers.context import Context
from tests.graphql.world import SCHEMA, Client
from windtunnel.domain.allowances import Bill
from windtunnel.domain.audit import AuditAction, AuditFilter
from windtunnel.domain.entities import Kind, Subject
from windtunnel.domain.errors import ForbiddenError, RateLimitedError
from windtunnel.domain.pages import PageRequest
from windtunnel.domain.permissions import Action
from windtunnel.domain.policy import MUTATION_POINTS
from windtunnel.domain.viewers import Role
from windtunnel.storage import audit

MANY = "{ " + " ".join(f"a{n}: auditLog(first: 0) {{ totalCount }}" for n in range(50)) + " verifyAudit { valid } }"


@dataclass(slots=True)
class Purse(Bill):
    """Somebody who has so many points and no more."""

    left: int = 0

    async def pay(self, points: int) -> None:
        if points > self.left:
            raise RateLimitedError("No more.", retry_after_s=1)
        self.left -= points
        self.points += points


async def run(client: Client, document: str, bill: Bill) -> list[str]:
    """The messages of what fails."""
    viewer = replace(client.signed_in, roles=frozenset({Role.DEVELOPER}))
    result = await SCHEMA.execute(document, context_value=Context(client.services, viewer, "test", bill=bill))
    return [error.message for error in result.errors or ()]


async def denials(client: Client) -> list[tuple[str, str]]:
    wanted = AuditFilter(actions=frozenset({AuditAction.ACCESS_DENIED}))
    tenant_id = client.signed_in.tenant_id
    page = await audit.page(client.services.store, tenant_id, PageRequest(100), wanted)
    return sorted((str(json.loads(entry.details)["attempted"]), entry.subject.kind) for entry in page.items)


async def test_a_field_that_is_refused_fifty_times_is_one_denial(client: Client) -> None:
    bill = Bill()
    problems = await run(client, MANY, bill)
    assert len(problems) == 51
    assert len(set(problems)) == 2
    assert await denials(client) == [("auditLog", "Tenant"), ("verifyAudit", "Tenant")]
    assert bill.points == 2 * MUTATION_POINTS
    await run(client, "{ verifyAudit { valid } }", bill)
    assert len(await denials(client)) == 3


async def test_each_thing_that_it_was_aimed_at_is_told(client: Client) -> None:
    viewer = replace(client.signed_in, roles=frozenset({Role.DEVELOPER}))
    context = Context(client.services, viewer, "test")
    for name in ("one", "two", "one"):
        with pytest.raises(ForbiddenError):
            await viewers.permit(context, Action.DELETE_WEBHOOK, Subject(Kind.WEBHOOK, name))
    assert await denials(client) == [("deleteWebhook", "Webhook")] * 2
    assert context.bill.points == 2 * MUTATION_POINTS


async def test_who_cannot_pay_is_refused_all_the_same(client: Client) -> None:
    purse = Purse(left=MUTATION_POINTS)
    assert "No more." in await run(client, MANY, purse)
    assert purse.left == 0
    assert len(await denials(client)) == 1
