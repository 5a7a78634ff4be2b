"""Registering and deleting webhooks: the URL is judged, the secret told once, both on record."""

import json
from collections.abc import Sequence
from dataclasses import replace

import pytest

from tests.delivery.receivers import courier
from tests.operations.world import demo, process
from tests.storage.webhook_worlds import FINISHED, OTHER, listed
from tests.storage.worlds import stranger
from windtunnel.delivery.courier import Courier
from windtunnel.delivery.errors import BusyError
from windtunnel.domain.audit import AuditAction, AuditEntry
from windtunnel.domain.entities import Kind, Subject
from windtunnel.domain.errors import (
    ConflictError,
    ErrorCode,
    ForbiddenError,
    NotFoundError,
    QuotaError,
    UnavailableError,
    ValidationError,
)
from windtunnel.domain.ids import new_id
from windtunnel.domain.policy import WEBHOOKS_PER_TENANT
from windtunnel.domain.viewers import Role, Viewer
from windtunnel.domain.webhooks import place_of_secret
from windtunnel.operations.delete_webhook import delete_webhook
from windtunnel.operations.register_webhook import register_webhook
from windtunnel.operations.services import Services
from windtunnel.storage import audit, deliveries, webhooks
from windtunnel.vault.sealing import UnsealError

URL = "https://93.184.215.14/in?token=hunter2"


async def _log(services: Services, viewer: Viewer) -> list[AuditEntry]:
    return list(await audit.read(services.store, viewer.tenant_id, 0, 1_000))


async def test_a_webhook_is_registered_and_on_record(database_url: str) -> None:
    async with process(database_url) as one:
        viewer = await demo(one)
        made = await register_webhook(one, viewer, URL, [FINISHED, OTHER, FINISHED])
        assert made.webhook.url == URL
        assert made.webhook.kinds == (FINISHED, OTHER)
        assert made.secret
        assert made.secret.startswith("whsec_")
        assert await webhooks.list(one.store, viewer.tenant_id) == [made.webhook]
        (entry,) = await _log(one, viewer)
        assert (entry.action, entry.subject) == (
            AuditAction.WEBHOOK_REGISTERED,
            Subject(Kind.WEBHOOK, made.webhook.id),
        )
        assert json.loads(entry.details) == {"url": "https://93.184.215.14/in", "kinds": [FINISHED, OTHER]}


async def test_the_secret_is_kept_sealed_for_its_row(database_url: str) -> None:
    async with process(database_url) as one:
        viewer = await demo(one)
        made = await register_webhook(one, viewer, URL, [FINISHED])
        other = await register_webhook(one, viewer, URL, [FINISHED])
        assert made.secret != other.secret
        sealed = await webhooks.secret_of(one.store, viewer.tenant_id, made.webhook.id)
        assert sealed
        assert one.vault.unseal(sealed, place_of_secret(viewer.tenant_id, made.webhook.id)) == made.secret
        with pytest.raises(UnsealError):
            one.vault.unseal(sealed, place_of_secret(viewer.tenant_id, other.webhook.id))


@pytest.mark.parametrize(
    ("url", "addresses"),
    [
        ("http://hooks.example.com/", ["93.184.215.14"]),
        ("https://user:word@hooks.example.com/", ["93.184.215.14"]),
        ("https://hooks.example.com/", []),
        ("https://hooks.example.com/", ["127.0.0.1"]),
        ("https://hooks.example.com/", ["93.184.215.14", "10.0.0.1"]),
        ("https://hooks.example.com:25/", ["93.184.215.14"]),
        ("https://localhost/", ["::1"]),
        ("https://127.0.0.1/", []),
        ("https://169.254.169.254/latest/meta-data", []),
        ("https://[::ffff:127.0.0.1]/", []),
        ("https://2130706433/", []),
        ("", []),
        ("\0\ud800", []),
        ("https://hooks.example.com/" + "a" * 2_000, ["93.184.215.14"]),
    ],
)
async def test_a_url_that_may_not_be_sent_to_is_refused(sqlite_url: str, url: str, addresses: Sequence[str]) -> None:
    names = {"hooks.example.com": addresses, "localhost": addresses}
    async with process(sqlite_url, courier=courier(names=names)) as one:
        viewer = await demo(one)
        with pytest.raises(ValidationError) as refused:
            await register_webhook(one, viewer, url, [FINISHED], idempotency_key="k")
        assert (refused.value.rule, refused.value.path) == ("webhook_url", ("input", "url"))
        assert await webhooks.list(one.store, viewer.tenant_id) == []
        assert await _log(one, viewer) == []


async def test_a_webhook_wants_something(sqlite_url: str) -> None:
    async with process(sqlite_url) as one:
        with pytest.raises(ValidationError) as refused:
            await register_webhook(one, await demo(one), URL, [])
        assert refused.value.path == ("input", "kinds")


async def test_a_tenant_has_at_most_twenty(sqlite_url: str) -> None:
    async with process(sqlite_url) as one:
        viewer, other = await demo(one), await stranger(one.store)
        made = [await register_webhook(one, viewer, URL, [FINISHED]) for _ in range(WEBHOOKS_PER_TENANT)]
        with pytest.raises(QuotaError) as refused:
            await register_webhook(one, viewer, URL, [FINISHED])
        assert (refused.value.limit, refused.value.used) == (20, 20)
        await register_webhook(one, other, URL, [FINISHED])
        await delete_webhook(one, viewer, made[0].webhook.id)
        await register_webhook(one, viewer, URL, [FINISHED])


async def test_hosts_are_looked_up_for_those_alone_who_have_room(sqlite_url: str) -> None:
    async def busy(*_: object) -> Sequence[str]:
        raise BusyError

    async with process(sqlite_url) as one:
        busy_one = replace(one, courier=Courier(lookup=busy))
        viewer, url = await demo(one), "https://hooks.example.com/"
        first = await register_webhook(one, viewer, URL, [FINISHED], idempotency_key="k")
        assert (await register_webhook(busy_one, viewer, URL, [FINISHED], idempotency_key="k")).webhook == first.webhook
        with pytest.raises(UnavailableError, match="Too many hosts"):
            await register_webhook(busy_one, viewer, url, [FINISHED])
        for _ in range(WEBHOOKS_PER_TENANT - 1):
            await register_webhook(one, viewer, URL, [FINISHED])
        with pytest.raises(QuotaError):
            await register_webhook(busy_one, viewer, url, [FINISHED])
        assert (await register_webhook(busy_one, viewer, URL, [FINISHED], idempotency_key="k")).webhook == first.webhook


async def test_the_same_key_leads_to_the_same_webhook_without_its_secret(database_url: str) -> None:
    names = {"hooks.example.com": ["93.184.215.14"]}
    async with process(database_url, courier=courier(names=names)) as one:
        viewer = await demo(one)
        url = "https://hooks.example.com/"
        first = await register_webhook(one, viewer, url, [FINISHED, OTHER], idempotency_key="k")
        names.clear()  # the name is gone: what was registered, was
        again = await register_webhook(one, viewer, url, [OTHER, FINISHED], idempotency_key="k")
        assert (again.webhook, again.secret) == (first.webhook, None)
        assert len(await _log(one, viewer)) == 1
        with pytest.raises(ConflictError) as refused:
            await register_webhook(one, viewer, url, [OTHER], idempotency_key="k")
        assert refused.value.code is ErrorCode.IDEMPOTENCY_MISMATCH
        await delete_webhook(one, viewer, first.webhook.id)
        with pytest.raises(NotFoundError, match="was deleted"):
            await register_webhook(one, viewer, url, [FINISHED, OTHER], idempotency_key="k")


async def test_a_deleted_webhook_is_gone_with_what_waits_and_on_record(database_url: str) -> None:
    async with process(database_url) as one:
        viewer, other = await demo(one), await stranger(one.store)
        made = await register_webhook(one, viewer, URL, [FINISHED])
        await deliveries.enqueue(one.store, viewer.tenant_id, FINISHED, "{}")
        for nobodys in (made.webhook.id, new_id()):
            with pytest.raises(NotFoundError) as refused:
                await delete_webhook(one, other, nobodys)
            assert refused.value.path == ("input", "webhook_id")
        assert await delete_webhook(one, viewer, made.webhook.id) == made.webhook.id
        assert await listed(one.store, made.webhook) == []
        with pytest.raises(NotFoundError):
            await delete_webhook(one, viewer, made.webhook.id)
        actions = [entry.action for entry in await _log(one, viewer)]
        assert actions == [AuditAction.WEBHOOK_REGISTERED, AuditAction.WEBHOOK_DELETED]
        assert await _log(one, other) == []


async def test_only_operators_and_admins_may_and_every_attempt_is_recorded(database_url: str) -> None:
    async with process(database_url) as one:
        viewer = await demo(one)
        made = await register_webhook(one, viewer, URL, [FINISHED])
        for role in Role:
            allowed = role in {Role.OPERATOR, Role.ADMIN}
            someone = replace(viewer, roles=frozenset({role}))
            if allowed:
                await register_webhook(one, someone, URL, [FINISHED])
                continue
            with pytest.raises(ForbiddenError):
                await register_webhook(one, someone, "nonsense", [])
            with pytest.raises(ForbiddenError):
                await delete_webhook(one, someone, made.webhook.id)
        denied = [each for each in await _log(one, viewer) if each.action == AuditAction.ACCESS_DENIED]
        assert len(denied) == 2 * 3
