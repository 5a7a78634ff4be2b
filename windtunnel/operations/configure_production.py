"""Configuring production: entries are set and unset as one, and secrets are sealed before anything keeps them."""

from collections.abc import Sequence

from windtunnel.domain.audit import AuditAction
from windtunnel.domain.configuring import Change, EntryRequest, after, change_of, check_request, on_record
from windtunnel.domain.entities import Kind, Subject
from windtunnel.domain.errors import ValidationError
from windtunnel.domain.permissions import Action
from windtunnel.domain.production import Entry, Snapshot, place_of_secret
from windtunnel.domain.rollbacks import ProductionEventKind
from windtunnel.domain.viewers import Viewer
from windtunnel.operations.audit_trail import record
from windtunnel.operations.idempotent import Asked, Done, once
from windtunnel.operations.permit import permit
from windtunnel.operations.pipeline_news import News, tell
from windtunnel.operations.services import Services
from windtunnel.storage import production, tenant_logs


async def configure_production(
    services: Services,
    viewer: Viewer,
    wanted: Sequence[EntryRequest] = (),
    unset: Sequence[str] = (),
    *,
    idempotency_key: str | None = None,
) -> Snapshot:
    """The configuration as it is then. What is so already changes nothing: no revision, and nothing on record.

    A secret stays one unless the request says otherwise, and then its value must be another one. Unsetting what is
    not there is no error. Raises ForbiddenError, ValidationError, QuotaError, ConflictError (IDEMPOTENCY_MISMATCH).
    """
    await permit(services, viewer, Action.CONFIGURE_PRODUCTION)
    check_request(wanted, unset)
    store, tenant_id = services.store, viewer.tenant_id
    news = News(tenant_id)

    async def configure() -> Done[Snapshot]:
        before = await production.snapshot(store, tenant_id)
        known = before.by_key
        entries = [_entry(services, tenant_id, known.get(each.key), each) for each in wanted]
        change = change_of(before, entries, unset)
        if not change:
            return Done(str(before.revision), before)
        configured = after(before, change)
        _keep_secrets(services, tenant_id, before, change)
        values = {each.key: each.value for each in wanted}
        sealed = {
            entry.key: services.vault.seal(values[entry.key], place_of_secret(tenant_id, entry.key))
            for entry in change.put
            if entry.secret
        }
        await production.apply(store, tenant_id, before.revision, change, sealed=sealed, updated_by=viewer.user.id)
        news.production.append(
            await tenant_logs.append_production(store, tenant_id, ProductionEventKind.CONFIGURATION_CHANGED)
        )
        await record(
            services,
            viewer,
            tenant_id,
            AuditAction.PRODUCTION_CONFIGURED,
            Subject(Kind.TENANT, tenant_id),
            details=on_record(before, change),
        )
        return Done(str(configured.revision), configured)

    asked = Asked(Action.CONFIGURE_PRODUCTION, idempotency_key, _what(services, tenant_id, wanted, unset))
    outcome = await once(services, viewer, asked, configure)
    await tell(services, news)
    return outcome.made or await production.snapshot(store, tenant_id)


def _entry(services: Services, tenant_id: str, before: Entry | None, wanted: EntryRequest) -> Entry:
    """The entry that is wanted; of a secret that stays what it is, the one from before."""
    secret = before is not None and before.secret if wanted.secret is None else wanted.secret
    if not secret:
        return Entry(wanted.key, wanted.value)
    if before is not None and _is_secret(services, tenant_id, before, wanted.value):
        return before
    return Entry(
        wanted.key, fingerprint=services.vault.fingerprint(wanted.value, place_of_secret(tenant_id, wanted.key))
    )


def _keep_secrets(services: Services, tenant_id: str, before: Snapshot, change: Change) -> None:
    """Raise ValidationError when the value of a secret would be in clear.

    It is the last rule, and does not say which entry is to blame: whoever guesses has to overwrite what they guess.
    """
    known = before.by_key
    clear = [(known[entry.key], entry.value) for entry in change.put if entry.value is not None and entry.key in known]
    if any(_is_secret(services, tenant_id, entry, value) for entry, value in clear):
        raise ValidationError(
            "What is a secret is shown in clear only with another value: send a new one with it.",
            rule="secret_value",
            path=("input", "set"),
        )


def _is_secret(services: Services, tenant_id: str, entry: Entry, value: str) -> bool:
    """Whether the entry is a secret of this value."""
    mark = entry.fingerprint
    return mark is not None and services.vault.is_fingerprint_of(mark, value, place_of_secret(tenant_id, entry.key))


def _what(
    services: Services, tenant_id: str, wanted: Sequence[EntryRequest], unset: Sequence[str]
) -> dict[str, object]:
    """What is asked for, without a value by whose digest a secret could be guessed."""
    return {
        "set": {
            each.key: [services.vault.fingerprint(each.value, place_of_secret(tenant_id, each.key)), each.secret]
            for each in wanted
        },
        "unset": sorted(set(unset)),
    }
