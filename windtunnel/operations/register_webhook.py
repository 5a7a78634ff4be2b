"""Registering a webhook: the URL is judged, and the secret that signs its messages is told once."""

from collections.abc import Collection
from dataclasses import dataclass

from windtunnel.delivery.errors import BusyError, RefusedError
from windtunnel.delivery.signing import new_secret
from windtunnel.delivery.urls import without_query
from windtunnel.domain.audit import AuditAction
from windtunnel.domain.entities import Kind, Subject
from windtunnel.domain.errors import NotFoundError, QuotaError, UnavailableError, ValidationError, WindtunnelError
from windtunnel.domain.ids import new_id
from windtunnel.domain.notifications import NotificationKind
from windtunnel.domain.permissions import Action
from windtunnel.domain.policy import WEBHOOKS_PER_TENANT
from windtunnel.domain.viewers import Viewer
from windtunnel.domain.webhooks import Webhook, place_of_secret
from windtunnel.operations.audit_trail import record
from windtunnel.operations.idempotent import Asked, Done, once
from windtunnel.operations.permit import permit
from windtunnel.operations.services import Services
from windtunnel.storage import webhooks


@dataclass(frozen=True, slots=True)
class Registered:
    """A webhook and, the one time that it is told, its secret."""

    webhook: Webhook
    secret: str | None


async def register_webhook(
    services: Services,
    viewer: Viewer,
    url: str,
    kinds: Collection[NotificationKind],
    *,
    idempotency_key: str | None = None,
) -> Registered:
    """The new webhook with its secret; asked again with the same idempotency key, the webhook without.

    Raises ForbiddenError, ValidationError (a URL that webhooks may not be sent to, or no kinds), QuotaError,
    UnavailableError, ConflictError (IDEMPOTENCY_MISMATCH), NotFoundError when what the key led to was deleted.
    """
    await permit(services, viewer, Action.REGISTER_WEBHOOK)
    if not kinds:
        raise ValidationError("Name at least one kind of notification.", rule="no_kinds", path=("input", "kinds"))
    refusal = await _refusal(services, viewer, url)  # before the transaction: names may be slow to look up

    async def register() -> Done[Registered]:
        if refusal is not None:
            raise refusal
        registered = await _insert(services, viewer, url, kinds)
        await record(
            services,
            viewer,
            viewer.tenant_id,
            AuditAction.WEBHOOK_REGISTERED,
            Subject(Kind.WEBHOOK, registered.webhook.id),
            details=on_record(registered.webhook),
        )
        return Done(registered.webhook.id, registered)

    asked = Asked(Action.REGISTER_WEBHOOK, idempotency_key, {"url": url, "kinds": frozenset(kinds)})
    outcome = await once(services, viewer, asked, register)
    if outcome.made:
        return outcome.made
    known = await webhooks.get_many(services.store, viewer.tenant_id, [outcome.result_id])
    if outcome.result_id not in known:
        raise NotFoundError(
            "The webhook that this idempotency key led to was deleted.", path=("input", "idempotency_key")
        )
    return Registered(known[outcome.result_id], secret=None)


def on_record(webhook: Webhook) -> dict[str, object]:
    """What the audit log keeps of a webhook."""
    return {"url": without_query(webhook.url), "kinds": [kind.value for kind in webhook.kinds]}


async def _refusal(services: Services, viewer: Viewer, url: str) -> WindtunnelError | None:
    """Why there can be no such webhook. Who has no room for one has no host looked up."""
    try:
        await _demand_room(services, viewer)
        await services.courier.check(url, tenant_id=viewer.tenant_id)
    except QuotaError as error:
        return error
    except BusyError:
        return UnavailableError("Too many hosts are being looked up right now. Try again in a moment.")
    except RefusedError as refused:
        return ValidationError(refused.reason, rule="webhook_url", path=("input", "url"))
    return None


async def _demand_room(services: Services, viewer: Viewer) -> None:
    used = await webhooks.count(services.store, viewer.tenant_id)
    if used >= WEBHOOKS_PER_TENANT:
        raise QuotaError(
            f"A tenant has at most {WEBHOOKS_PER_TENANT} webhooks. Delete those that nobody listens to.",
            limit=WEBHOOKS_PER_TENANT,
            used=used,
        )


async def _insert(services: Services, viewer: Viewer, url: str, kinds: Collection[NotificationKind]) -> Registered:
    await _demand_room(services, viewer)
    webhook = Webhook(
        id=new_id(),
        tenant_id=viewer.tenant_id,
        url=url,
        kinds=tuple(kind for kind in NotificationKind if kind in kinds),
        created_at=await services.store.now(),
        created_by=viewer.user.id,
    )
    secret = new_secret()
    await webhooks.insert(
        services.store, webhook, services.vault.seal(secret, place_of_secret(viewer.tenant_id, webhook.id))
    )
    return Registered(webhook, secret)
