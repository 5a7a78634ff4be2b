"""How a thing of each kind comes to be: by the mutations that anyone would use."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from schema.ids import Kind, decode, encode
from tests.graphql.environments import tend
from tests.graphql.world import conduct
from tests.operations.review_world import review_of
from tests.walks import pipeline
from tests.walks.inputs import OwnId
from tests.walks.shape import KINDS_OF_NODES
from tests.walks.world import ENTRIES, World, unknown
from windtunnel.domain.ids import new_id
from windtunnel.domain.policy import ENVIRONMENTS_PER_TENANT
from windtunnel.domain.viewers import Viewer
from windtunnel.operations.upload_package import upload_package
from windtunnel.storage import environments

Make = Callable[[World, Viewer], Awaitable[str]]


def _made(verb: str, *way: str) -> Make:
    """The id that the payload of a mutation leads to."""

    async def make(world: World, viewer: Viewer) -> str:
        shown: Any = await world.do(verb, viewer)
        for step in (*way, "id"):
            shown = shown[step]
        return str(shown)

    return make


def _newest(query: str) -> Make:
    """The first of a list, after something has been simulated to its end."""

    async def make(world: World, viewer: Viewer) -> str:
        await world.do("simulate", viewer)
        await conduct(world.services)
        answer = await world.ask(ENTRIES[query], {"first": 1}, viewer, levels=2)
        return str(answer["data"][query]["nodes"][0]["id"])

    return make


async def _user(_: World, viewer: Viewer) -> str:
    return encode(Kind.USER, viewer.user.id)


async def _tenant(_: World, viewer: Viewer) -> str:
    return encode(Kind.TENANT, viewer.tenant_id)


async def _delivery(world: World, viewer: Viewer) -> str:
    await world.do("registerWebhook", viewer)
    await world.do("simulate", viewer)
    await conduct(world.services)
    answer = await world.ask(ENTRIES["webhooks"], {}, viewer, levels=3)
    return str(answer["data"]["webhooks"][0]["deliveries"]["nodes"][0]["id"])


async def _environment(world: World, viewer: Viewer) -> str:
    """A READY one, in which something was simulated; a tenant has room for few."""
    quota = await environments.count(world.store, viewer.tenant_id)
    if quota == ENVIRONMENTS_PER_TENANT:
        there = {"filter": {"statuses": ["READY", "PAUSED"]}, "last": 1}
        answer = await world.ask(ENTRIES["environments"], there, viewer, levels=2)
        (oldest,) = answer["data"]["environments"]["nodes"]
        await world.do("deleteEnvironment", viewer, {Kind.ENVIRONMENT: oldest["id"]})
    made = str((await world.do("provisionEnvironment", viewer))["environment"]["id"])
    await tend(world.services)
    await world.do("simulate", viewer, environmentId=made)
    return made


async def _agent(world: World, viewer: Viewer) -> str:
    """One that is in production, and can be rolled back."""
    return encode(Kind.AGENT, (await pipeline.in_production(world.services, viewer))[0].id)


async def _version(world: World, viewer: Viewer) -> str:
    """One that a rollback took away."""
    agent, _, live = await pipeline.in_production(world.services, viewer)
    await pipeline.rolled_back(world.services, viewer, agent)
    return encode(Kind.AGENT_VERSION, live.version_id or "")


async def _deployment(world: World, viewer: Viewer) -> str:
    """One that waits for reviewers."""
    return encode(Kind.DEPLOYMENT, (await pipeline.waiting(world.services, viewer)).id)


async def _review(world: World, viewer: Viewer) -> str:
    made = await pipeline.waiting(world.services, viewer)
    return encode(Kind.REVIEW, (await review_of(world.services, made)).id)


async def _rollback(world: World, viewer: Viewer) -> str:
    agent, _, _ = await pipeline.in_production(world.services, viewer)
    return encode(Kind.ROLLBACK, (await pipeline.rolled_back(world.services, viewer, agent)).id)


async def _experiment(world: World, viewer: Viewer) -> str:
    """One that waits."""
    planned = await _made("simulate", "simulation", "architecture")(world, viewer)
    payload = await world.do("runExperiment", viewer, {Kind.ARCHITECTURE: planned})
    return str(payload["experiment"]["id"])


async def _architecture(world: World, viewer: Viewer) -> str:
    """One with an experiment."""
    made = await _made("simulate", "simulation", "architecture")(world, viewer)
    await world.do("runExperiment", viewer, {Kind.ARCHITECTURE: made})
    return made


MAKERS: dict[Kind, Make] = {
    Kind.SCENARIO: _made("simulate", "simulation", "scenario"),
    Kind.SIMULATION: _made("simulate", "simulation"),
    Kind.ARCHITECTURE: _architecture,
    Kind.EXPERIMENT: _experiment,
    Kind.USER: _user,
    Kind.TENANT: _tenant,
    Kind.API_TOKEN: _made("issueApiToken", "token"),
    Kind.WEBHOOK: _made("registerWebhook", "webhook"),
    Kind.WEBHOOK_DELIVERY: _delivery,
    Kind.ENVIRONMENT: _environment,
    Kind.NOTIFICATION: _newest("notifications"),
    Kind.AUDIT_ENTRY: _newest("auditLog"),
    Kind.AGENT: _agent,
    Kind.AGENT_VERSION: _version,
    Kind.DEPLOYMENT: _deployment,
    Kind.REVIEW: _review,
    Kind.ROLLBACK: _rollback,
}


async def upload(world: World, viewer: Viewer) -> str:
    """The digest of a new package of the viewer's tenant."""

    async def content() -> AsyncIterator[bytes]:
        yield new_id().encode()

    return (await upload_package(world.services, viewer, content())).digest


NAMED: dict[str, Make] = {"packageDigest": upload}
"""What things are named by beside ids: arguments and input fields of these names are walked like ids."""

KINDS = [kind for kind in Kind if kind.value in KINDS_OF_NODES]


async def make(world: World, viewer: Viewer, kind: Kind) -> str:
    """The id of a new thing of this kind (of people and tenants: of the viewer and theirs)."""
    assert kind in MAKERS, f"add {kind.name} to MAKERS of tests/walks/things.py"
    made = await MAKERS[kind](world, viewer)
    found = decode(made)
    assert found
    assert found[0] is kind
    return made


async def make_all(world: World, viewer: Viewer) -> dict[Kind, str]:
    """A thing of each kind that can be looked up."""
    return {kind: await make(world, viewer, kind) for kind in KINDS}


async def beside(world: World, kind: Kind, made: str) -> OwnId:
    """The ids to be given beside that of a thing that was made: what the call needs, too, and of nothing else."""
    given: dict[Kind, str] = {}
    if kind is Kind.AGENT_VERSION:
        answer = await world.ask(ENTRIES["node"], {"id": made}, world.mine, levels=2)
        given[Kind.AGENT] = answer["data"]["node"]["AgentVersion_agent"]["id"]
    elif kind is Kind.ENVIRONMENT:
        given[Kind.ARCHITECTURE] = await make(world, world.mine, Kind.ARCHITECTURE)
    return lambda wanted: given.get(wanted) or unknown(wanted)
