"""Issuing an API token: its secret is told once, to whoever asked for it, and kept nowhere."""

from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import datetime

from windtunnel.domain.audit import AuditAction
from windtunnel.domain.entities import Kind, Subject
from windtunnel.domain.errors import NotFoundError, PolicyError, ValidationError
from windtunnel.domain.permissions import Action
from windtunnel.domain.viewers import Role, User, Viewer
from windtunnel.operations.audit_trail import record
from windtunnel.operations.idempotent import Asked, Done, once
from windtunnel.operations.minting import Issued, check_name, mint, on_record
from windtunnel.operations.permit import permit
from windtunnel.operations.services import Services
from windtunnel.storage import people, tenants, tokens

ROLES = ("input", "roles")


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """What is asked for. `user_id` is whom the token is for, None for the viewer; None for `expires_at`: never."""

    name: str
    roles: Collection[Role]
    expires_at: datetime | None = None
    user_id: str | None = None


async def issue_api_token(
    services: Services, viewer: Viewer, request: TokenRequest, idempotency_key: str | None = None
) -> Issued:
    """The new token with its secret; asked again with the same idempotency key, the token without.

    Raises ForbiddenError, ValidationError, NotFoundError (no such person), QuotaError, ConflictError
    (IDEMPOTENCY_MISMATCH), and PolicyError for roles that the person does not have.
    """
    await permit(services, viewer, Action.ISSUE_API_TOKEN)
    name = check_name(request.name, ("input", "name"))
    if not request.roles:
        raise ValidationError("A token without a role could do nothing: name one.", rule="no_roles", path=ROLES)

    async def issue() -> Done[Issued]:
        holder = await _holder(services, viewer, request)
        issued = await mint(
            services.store,
            holder,
            issued_by=viewer.user.id,
            name=name,
            roles=request.roles,
            expires_at=request.expires_at,
            issued_with=viewer.token_id,
        )
        subject, details = Subject(Kind.API_TOKEN, issued.token.id), on_record(issued.token)
        await record(services, viewer, viewer.tenant_id, AuditAction.TOKEN_ISSUED, subject, details=details)
        return Done(issued.token.id, issued)

    what = {**asdict(request), "roles": frozenset(request.roles)}
    outcome = await once(services, viewer, Asked(Action.ISSUE_API_TOKEN, idempotency_key, what), issue)
    if outcome.made:
        return outcome.made
    known = await tokens.get_many(services.store, viewer.tenant_id, [outcome.result_id])
    return Issued(known[outcome.result_id], secret=None)


async def _holder(services: Services, viewer: Viewer, request: TokenRequest) -> User:
    """Whom the token is for, who must have the roles that it is to have."""
    holder = viewer.user
    if request.user_id is not None and request.user_id != holder.id:
        found = await tenants.users(services.store, viewer.tenant_id, [request.user_id])
        if request.user_id not in found:
            raise NotFoundError("There is no such person.", resource_id=request.user_id, path=("input", "user_id"))
        holder = found[request.user_id]
    missing = set(request.roles) - await people.roles(services.store, viewer.tenant_id, holder.id)
    if missing:
        raise PolicyError(
            f"A token has at most the roles of its person, who lacks {', '.join(sorted(missing))}.",
            policy="roles_of_the_person",
            path=ROLES,
        )
    return holder
