"""Every mutation of the schema, on a deployment in every state: only the table's transitions happen.

Asked as every role on SQLite; on PostgreSQL, where it takes longer, as each role that the mutation is open to, and in
every state as another one of those that it is closed to. That these change nothing is walked in test_roles, too.
"""

from dataclasses import replace
from typing import Any

from schema.ids import Kind, encode
from tests.operations.pipeline_world import stored
from tests.operations.releases_world import pointer_of, states
from tests.operations.review_world import review_of
from tests.walks import pipeline
from tests.walks.inputs import arguments
from tests.walks.shape import Entry, required_roles, root_entries
from tests.walks.world import World, open_world, unknown
from windtunnel.domain.deployments import Deployment
from windtunnel.domain.deployments import DeploymentStatus as S
from windtunnel.domain.pipeline_table import TRANSITIONS
from windtunnel.domain.viewers import Role
from windtunnel.storage.store import Store

OPERATORS = frozenset({Role.OPERATOR, Role.ADMIN})
REVIEWERS = frozenset({Role.SECURITY_REVIEWER})
MOVES: dict[tuple[str, S, S], frozenset[Role]] = {
    ("withdrawDeployment", S.SUBMITTED, S.WITHDRAWN): frozenset({Role.ADMIN}),  # or who submitted it: not who asks
    ("withdrawDeployment", S.VALIDATING, S.WITHDRAWN): frozenset({Role.ADMIN}),
    ("withdrawDeployment", S.IN_REVIEW, S.WITHDRAWN): frozenset({Role.ADMIN}),
    ("approveDeployment", S.IN_REVIEW, S.APPROVED): REVIEWERS,
    ("rejectDeployment", S.IN_REVIEW, S.REJECTED): REVIEWERS,
    ("retryDeployment", S.DEPLOY_FAILED, S.DEPLOYING): OPERATORS,
    ("rollbackDeployment", S.APPROVED, S.HELD): OPERATORS,
    ("rollbackDeployment", S.DEPLOYING, S.HELD): OPERATORS,
    ("rollbackDeployment", S.DEPLOY_FAILED, S.HELD): OPERATORS,
    ("releaseHold", S.HELD, S.APPROVED): OPERATORS,
}
"""All that people can bring about: everything else in the table is up to workers."""


async def test_only_the_transitions_of_the_table_happen(store: Store) -> None:
    verbs = [entry for entry in root_entries() if entry.operation == "mutation"]
    seen: dict[tuple[str, S, S], set[Role]] = {}
    async with open_world(store) as world:
        for turn, status in enumerate(S):
            deployment = await pipeline.in_status(world.services, world.mine, status)
            before = await _production(world, deployment)
            for entry in verbs:
                for role in Role if store.dialect == "sqlite" else _some_roles(entry, turn):
                    await _ask(world, entry, role, deployment)
                    now, after = (await stored(world.services, deployment)).status, await _production(world, deployment)
                    if now is not status:
                        seen.setdefault((entry.name, status, now), set()).add(role)
                    if (now, after) != (status, before):
                        await _nothing_is_live_that_was_not(world, deployment)
                        deployment = await pipeline.in_status(world.services, world.mine, status)
                        before = await _production(world, deployment)
    assert seen == MOVES
    assert all(after in TRANSITIONS[before] for _, before, after in seen)


def _some_roles(entry: Entry, turn: int) -> list[Role]:
    """Those that may, and one of those that may not."""
    allowed = required_roles(entry.field) or frozenset()
    closed = sorted(frozenset(Role) - allowed)
    return [*sorted(allowed), *closed[turn % len(closed) :][:1]] if closed else sorted(allowed)


async def _production(world: World, deployment: Deployment) -> list[dict[str, Any]]:
    """What is in production of the deployment's agent, and who has set out to change it."""
    return await world.store.of(deployment.tenant_id).fetch(
        "SELECT p.*, a.held_by, (SELECT COUNT(*) FROM rollbacks AS r WHERE r.tenant_id = $1 AND r.agent_id = $2) AS n"
        " FROM pointers AS p JOIN agents AS a ON a.tenant_id = p.tenant_id AND a.id = p.agent_id"
        " WHERE p.tenant_id = $1 AND p.agent_id = $2",
        deployment.tenant_id,
        deployment.agent_id,
    )


async def _ask(world: World, entry: Entry, role: Role, deployment: Deployment) -> None:
    """Call the verb, with all that it may name being of this deployment."""
    services = world.services
    named = {
        Kind.DEPLOYMENT: deployment.id,
        Kind.AGENT: deployment.agent_id,
        Kind.AGENT_VERSION: deployment.version_id,
        Kind.REVIEW: (await review_of(services, deployment)).id if deployment.quorum else None,
    }
    given = arguments(entry, lambda kind: encode(kind, raw) if (raw := named.get(kind)) else unknown(kind))
    fixed = {"reviewedDigest": deployment.package_digest, "packageDigest": deployment.package_digest, "enabled": True}
    given["input"] |= {name: value for name, value in fixed.items() if name in given["input"]}
    await world.ask(entry, given, replace(world.mine, roles=frozenset({role})))


async def _nothing_is_live_that_was_not(world: World, deployment: Deployment) -> None:
    """What is in production is what it was: no verb of a person switches anything."""
    agent = await pipeline.agent_of(world.services, deployment)
    found = await states(world.services, agent)
    (live,) = [number for number, state in found.items() if state == "LIVE"]
    pointer = await pointer_of(world.services, agent)
    assert (live in {"1.0.0", "2.0.0"}, pointer.version_id is None) == (True, False)
