"""Calibrating: recorded traces make a new architecture of an old one, with their service times and failure rates."""

from collections.abc import Mapping

from windtunnel.domain.architectures import StoredArchitecture, digest_of
from windtunnel.domain.audit import AuditAction
from windtunnel.domain.entities import Kind, Subject
from windtunnel.domain.errors import NotFoundError
from windtunnel.domain.permissions import Action
from windtunnel.domain.policy import TRACES_UNPACKED_MAX_BYTES
from windtunnel.domain.viewers import Viewer
from windtunnel.operations.audit_trail import record
from windtunnel.operations.entering import let_in
from windtunnel.operations.permit import permit, permitted_transaction
from windtunnel.operations.places import place_of
from windtunnel.operations.services import Services
from windtunnel.storage import architectures
from windtunnel.telemetry.apart import calibrated_apart
from windtunnel.telemetry.calibrating import Calibrated


async def calibrate_architecture(
    services: Services, viewer: Viewer, architecture_id: str, traces: bytes, *, matches: Mapping[str, str] | None = None
) -> tuple[StoredArchitecture, Calibrated]:
    """The new architecture, beside the old one, and what was found; the traces themselves are not kept.

    The same traces and the same architecture give the same new one. `matches` are names in the traces with the keys
    they stand for. Raises ForbiddenError, NotFoundError, ValidationError for traces that cannot be read or say
    nothing, ConflictError and QuotaError of an environment, UnavailableError.
    """
    subject = Subject(Kind.ARCHITECTURE, architecture_id)
    await permit(services, viewer, Action.CALIBRATE_ARCHITECTURE, subject)
    tenant_id = viewer.tenant_id
    async with place_of(services, tenant_id, architecture_id) as place:
        if place is None:
            raise _not_found(architecture_id)
        old = await _stored(place, tenant_id, architecture_id)
        found = await calibrated_apart(old.architecture, traces, TRACES_UNPACKED_MAX_BYTES, matches=matches)
        return await _kept(place, viewer, old, found), found


async def _kept(place: Services, viewer: Viewer, old: StoredArchitecture, found: Calibrated) -> StoredArchitecture:
    tenant_id = viewer.tenant_id
    subject = Subject(Kind.ARCHITECTURE, old.id)
    async with permitted_transaction(place, viewer, Action.CALIBRATE_ARCHITECTURE, subject):
        old = await _stored(place, tenant_id, old.id)  # not deleted meanwhile
        digest = digest_of(found.architecture)
        known = await architectures.made_before(place.store, tenant_id, old.id, digest)
        if known is not None:
            return await _stored(place, tenant_id, known)
        await let_in(place, viewer)
        made = await architectures.insert(
            place.store,
            tenant_id,
            place.new_id(),
            scenario_id=old.scenario_id,
            architecture=found.architecture,
            created_at=await place.store.now(),
            based_on=old.id,
            changes=found.changes,
        )
        details = {
            "basedOn": subject,
            "digest": digest,
            "sources": sorted({each.source for each in found.architecture.calibrations}),
        }
        defined = Subject(Kind.ARCHITECTURE, made.id)
        await record(place, viewer, tenant_id, AuditAction.ARCHITECTURE_DEFINED, defined, details=details)
    return made


async def _stored(place: Services, tenant_id: str, id: str) -> StoredArchitecture:
    found = (await architectures.get_many(place.store, tenant_id, [id])).get(id)
    if found is None:
        raise _not_found(id)
    return found


def _not_found(id: str) -> NotFoundError:
    return NotFoundError("There is no architecture with this id.", resource_id=id, path=("id",))
