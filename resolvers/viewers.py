"""Who is calling, and the people of their tenant."""

from resolvers.context import Context
from windtunnel.domain.entities import Subject
from windtunnel.domain.permissions import Action, allows, require
from windtunnel.domain.policy import MUTATION_POINTS
from windtunnel.domain.viewers import User, Viewer
from windtunnel.operations.permit import permit as demand
from windtunnel.storage import simulations


def viewer(context: Context) -> Viewer:
    """Who is calling."""
    return context.signed_in()


async def permit(context: Context, action: Action, subject: Subject | None) -> None:
    """Return when the viewer may do this; the refusal is put on record and raised as ForbiddenError.

    Once for each thing in one operation, however often it is asked for, and for the price of a change.
    """
    viewer = context.signed_in()
    if allows(viewer, action):
        return
    if (action, subject) in context.refused:
        require(viewer, action)
    context.refused.add((action, subject))
    await context.bill.pay(MUTATION_POINTS)
    await demand(context.services, viewer, action, subject)


async def user(context: Context, id: str) -> User:
    """The person that a stored thing names: they exist as long as it does."""
    found = await person(context, id)
    if found is None:
        raise LookupError(f"user {id} is named but not stored")
    return found


async def person(context: Context, id: str) -> User | None:
    """The person of the viewer's tenant, None when there is none."""
    return await context.loaders.users.load(id)


async def simulations_running(context: Context) -> tuple[int, int]:
    """How many simulations of the tenant may run at once, and how many do."""
    counts = await simulations.counts(context.services.store, context.tenant_id)
    return context.services.limits.running_per_tenant, counts.running
