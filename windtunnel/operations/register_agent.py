"""Registering an agent: from then on packages that are named after it can be submitted."""

from windtunnel.domain.agents import Agent
from windtunnel.domain.audit import AuditAction
from windtunnel.domain.entities import Kind, Subject
from windtunnel.domain.errors import ConflictError
from windtunnel.domain.ids import new_id
from windtunnel.domain.permissions import Action
from windtunnel.domain.submissions import RegisterRequest, check_agent, no_agent
from windtunnel.domain.viewers import Viewer
from windtunnel.operations.audit_trail import record
from windtunnel.operations.idempotent import Asked, Done, once
from windtunnel.operations.permit import permit
from windtunnel.operations.services import Services
from windtunnel.storage import agents


async def register_agent(services: Services, viewer: Viewer, request: RegisterRequest) -> Agent:
    """The agent, owned by the viewer; asked again with the same idempotency key, the same one.

    Raises ForbiddenError, ValidationError, ConflictError (the slug is taken, IDEMPOTENCY_MISMATCH).
    """
    await permit(services, viewer, Action.REGISTER_AGENT)
    wanted = check_agent(request)
    store, tenant_id = services.home.store, viewer.tenant_id

    async def register() -> Done[Agent]:
        agent = Agent(
            id=new_id(),
            tenant_id=tenant_id,
            slug=wanted.slug,
            name=wanted.name,
            description=wanted.description or "",
            owner_id=viewer.user.id,
            created_at=await store.now(),
        )
        if not await agents.insert(store, agent):
            raise ConflictError(
                "There is an agent with this slug already. Submit to that one, or choose another slug.",
                current="REGISTERED",
                path=("input", "slug"),
            )
        subject, details = Subject(Kind.AGENT, agent.id), {"slug": agent.slug, "name": agent.name}
        await record(services, viewer, tenant_id, AuditAction.AGENT_REGISTERED, subject, details=details)
        return Done(agent.id, agent)

    what = {"slug": wanted.slug, "name": wanted.name, "description": wanted.description}
    outcome = await once(services, viewer, Asked(Action.REGISTER_AGENT, request.idempotency_key, what), register)
    if outcome.made is not None:
        return outcome.made
    found = await agents.get(store, tenant_id, outcome.result_id)
    if found is None:
        raise no_agent(outcome.result_id)
    return found
