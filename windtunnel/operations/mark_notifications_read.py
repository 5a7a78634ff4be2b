"""Marking one's own notifications as read."""

from collections.abc import Sequence

from windtunnel.domain.errors import NotFoundError, ValidationError
from windtunnel.domain.permissions import Action
from windtunnel.domain.policy import NODES_PER_LOOKUP_MAX
from windtunnel.domain.viewers import Viewer
from windtunnel.operations.permit import permit, permitted_transaction
from windtunnel.operations.services import Services
from windtunnel.storage import notifications


async def mark_notifications_read(
    services: Services, viewer: Viewer, ids: Sequence[str] | None, through_seq: int | None
) -> None:
    """Those named and all numbered up to `through_seq` are read from now on; one that was read before stays as it is.

    Raises ForbiddenError, ValidationError when neither is given, and NotFoundError, having marked nothing, when one
    of the ids names none of the viewer's own.
    """
    await permit(services, viewer, Action.MARK_NOTIFICATIONS_READ)
    named = list(ids or ())
    _check(ids, through_seq)
    store, tenant_id, user_id = services.store, viewer.tenant_id, viewer.user.id
    async with permitted_transaction(services, viewer, Action.MARK_NOTIFICATIONS_READ):
        found = await notifications.get_many(store, tenant_id, user_id, named)
        for place, each in enumerate(named):
            if each not in found:
                raise not_found(each, place)
        await notifications.mark_read(store, tenant_id, user_id, named, through_seq or 0)


def not_found(given: str, place: int) -> NotFoundError:
    """The viewer has no such notification; `place` counts the ids from 0."""
    return NotFoundError("There is no notification with this id.", resource_id=given, path=("input", "ids", str(place)))


def _check(ids: Sequence[str] | None, through_seq: int | None) -> None:
    if ids is None and through_seq is None:
        raise ValidationError("Say which: give ids, throughSeq or both.", rule="nothing_named", path=("input",))
    if ids is not None and len(ids) > NODES_PER_LOOKUP_MAX:
        raise ValidationError(
            f"At most {NODES_PER_LOOKUP_MAX} ids at once; throughSeq marks any number.",
            rule="too_many_ids",
            path=("input", "ids"),
        )
    if through_seq is not None and through_seq < 0:
        raise ValidationError(
            "`throughSeq` is a sequence number: 0 or more.", rule="sequence", path=("input", "through_seq")
        )
