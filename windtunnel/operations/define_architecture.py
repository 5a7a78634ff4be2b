"""Defining an architecture: a network drawn by hand, or edited from another one, which stays as it is."""

import asyncio

from windtunnel.domain.architectures import Architecture, StoredArchitecture, digest_of
from windtunnel.domain.audit import AuditAction
from windtunnel.domain.drawn_networks import DrawnNetwork
from windtunnel.domain.entities import Kind, Subject
from windtunnel.domain.errors import NotFoundError, ValidationError
from windtunnel.domain.network_changes import changes_between
from windtunnel.domain.permissions import Action
from windtunnel.domain.viewers import Viewer
from windtunnel.experiments.from_architecture import model_of
from windtunnel.experiments.soundness import check_model
from windtunnel.operations.audit_trail import record
from windtunnel.operations.entering import let_in
from windtunnel.operations.idempotent import Asked, Done, check_key, once
from windtunnel.operations.permit import permit
from windtunnel.operations.places import place_of
from windtunnel.operations.services import Services
from windtunnel.planning import draw
from windtunnel.storage import architectures


async def define_architecture(
    services: Services,
    viewer: Viewer,
    drawn: DrawnNetwork,
    *,
    based_on: str | None = None,
    idempotency_key: str | None = None,
) -> StoredArchitecture:
    """The architecture, validated, with its failure modes; it lies where the one that it is `based_on` lies.

    Raises ForbiddenError, RefusedError (all that is wrong with it), NotFoundError, ConflictError (IDEMPOTENCY_MISMATCH,
    ENVIRONMENT_EXPIRED, ENVIRONMENT_PAUSED), QuotaError of an environment, UnavailableError.
    """
    subject = None if based_on is None else Subject(Kind.ARCHITECTURE, based_on)
    await permit(services, viewer, Action.DEFINE_ARCHITECTURE, subject)
    check_key(idempotency_key)
    what = {"drawn": repr(drawn), "based_on": based_on}
    asked = Asked(Action.DEFINE_ARCHITECTURE, idempotency_key, what, subject)
    async with place_of(services, viewer.tenant_id, based_on or "") as found:
        place = found or services.home
        origin = None if based_on is None or found is None else await _stored(place, viewer.tenant_id, based_on)
        if based_on is not None and origin is None:
            raise _no_origin(based_on)
        made = await draw(drawn, origin.architecture if origin else None)
        await asyncio.to_thread(_check, made)

        async def define() -> Done[StoredArchitecture]:
            await let_in(place, viewer)
            return await _insert(place, viewer, made, based_on)

        outcome = await once(place, viewer, asked, define)
        stored = outcome.made or await _stored(place, viewer.tenant_id, outcome.result_id)
    if stored is None:
        raise NotFoundError(
            "This idempotency key led to an architecture that was deleted since. Use a new one.",
            resource_id=outcome.result_id,
            path=("input", "idempotency_key"),
        )
    return stored


async def _insert(
    place: Services, viewer: Viewer, made: Architecture, based_on: str | None
) -> Done[StoredArchitecture]:
    tenant_id = viewer.tenant_id
    changes: tuple[str, ...] = ()
    if based_on is not None:
        origin = await _stored(place, tenant_id, based_on)
        if origin is None:  # deleted meanwhile
            raise _no_origin(based_on)
        changes = changes_between(origin.architecture, made)
    stored = await architectures.insert(
        place.store,
        tenant_id,
        place.new_id(),
        scenario_id=None,
        architecture=made,
        created_at=await place.store.now(),
        based_on=based_on,
        changes=changes,
    )
    origin_of = based_on and Subject(Kind.ARCHITECTURE, based_on)
    details = {"basedOn": origin_of, "digest": digest_of(made)}
    subject = Subject(Kind.ARCHITECTURE, stored.id)
    await record(place, viewer, tenant_id, AuditAction.ARCHITECTURE_DEFINED, subject, details=details)
    return Done(stored.id, stored)


async def _stored(place: Services, tenant_id: str, id: str) -> StoredArchitecture | None:
    return (await architectures.get_many(place.store, tenant_id, [id])).get(id)


def _check(made: Architecture) -> None:
    """Raise ValidationError for a network that is too large, or in which work goes round for ever."""
    try:
        check_model(model_of(made))
    except ValidationError as error:
        error.path = ("input", "agents" if error.rule == "too_large" else "links")
        raise


def _no_origin(id: str) -> NotFoundError:
    return NotFoundError("There is no such architecture.", resource_id=id, path=("input", "based_on"))
