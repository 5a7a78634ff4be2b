"""What is simulated in an environment lies there: what comes from home is copied, once."""

from hashlib import sha256

from windtunnel.domain.architectures import StoredArchitecture
from windtunnel.domain.audit import AuditAction
from windtunnel.domain.entities import Kind, Subject
from windtunnel.domain.ids import id_of_copy, namespace_of
from windtunnel.domain.scenarios import Scenario
from windtunnel.domain.viewers import Viewer
from windtunnel.operations.audit_trail import record
from windtunnel.operations.services import Services
from windtunnel.storage import architectures, scenarios


async def scenario_here(place: Services, viewer: Viewer, id: str) -> Scenario | None:
    """The scenario with this id, or in an environment the copy of the one that has it at home; None when there is none.

    Call it in the transactions of `place` and home.
    """
    found = (await scenarios.get_many(place.store, viewer.tenant_id, [here := _here(place, id)])).get(here)
    if found or here == id:
        return found
    original = (await scenarios.get_many(place.home.store, viewer.tenant_id, [id])).get(id)
    if original is None:
        return None
    copy = Scenario(
        id=here,
        tenant_id=viewer.tenant_id,
        title=original.title,
        text=original.text,
        created_at=await place.store.now(),
        created_by=viewer.user.id,
    )
    await scenarios.insert(place.store, copy)
    details = {"sha256": sha256(copy.text.encode()).hexdigest(), "copyOf": Subject(Kind.SCENARIO, id)}
    subject = Subject(Kind.SCENARIO, copy.id)
    await record(place, viewer, viewer.tenant_id, AuditAction.SCENARIO_CREATED, subject, details=details)
    return copy


async def architecture_here(place: Services, viewer: Viewer, id: str) -> StoredArchitecture | None:
    """As `scenario_here`, of an architecture; that of a scenario comes with it."""
    found = (await architectures.get_many(place.store, viewer.tenant_id, [here := _here(place, id)])).get(here)
    if found or here == id:
        return found
    original = (await architectures.get_many(place.home.store, viewer.tenant_id, [id])).get(id)
    if original is None:
        return None
    scenario = await scenario_here(place, viewer, original.scenario_id) if original.scenario_id else None
    return await architectures.insert(
        place.store,
        viewer.tenant_id,
        here,
        scenario_id=scenario.id if scenario else None,
        architecture=original.architecture,
        created_at=await place.store.now(),
    )


def _here(place: Services, id: str) -> str:
    """The id that the thing has in this place, whatever place it comes from."""
    if place.environment is None or namespace_of(id) is not None:
        return id
    return id_of_copy(place.environment.namespace, id)
