"""Agents and deployments in any status, made by the rules as far as people make them, and by hand from there."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import orjson

from tests.operations.packages_world import mine, uploaded
from tests.packages.world import manifest
from tests.storage.worlds import colleague, demo
from windtunnel.domain.agents import Agent
from windtunnel.domain.deployments import Deployment, DeploymentEvent, DeploymentEventDraft
from windtunnel.domain.deployments import DeploymentStatus as S
from windtunnel.domain.failures import Severity
from windtunnel.domain.ids import new_id
from windtunnel.domain.reviews import Decision, Policy, Review, ReviewStatus, Vote
from windtunnel.domain.submissions import RegisterRequest, SubmitRequest
from windtunnel.domain.viewers import Viewer
from windtunnel.operations.register_agent import register_agent
from windtunnel.operations.services import Services
from windtunnel.operations.submit_deployment import submit_deployment
from windtunnel.storage import deployment_changes, deployment_events, deployments, review_changes
from windtunnel.storage.store import Store

DIGEST = "d" * 64
DAY = timedelta(days=1)


async def registered(services: Services, viewer: Viewer, slug: str = "triage") -> Agent:
    return await register_agent(services, viewer, RegisterRequest(slug, slug.capitalize()))


async def submitted(
    services: Services, viewer: Viewer, agent: Agent | None = None, *, data: bytes | None = None, **given: Any
) -> Deployment:
    """A deployment that was just submitted, of an agent of its own unless given one."""
    agent = agent or await registered(services, viewer, f"agent-{new_id()[-12:]}")
    digest = await uploaded(services, viewer, data or mine())
    return await submit_deployment(services, viewer, SubmitRequest(agent.id, digest, **given))


async def stored(services: Services, deployment: Deployment) -> Deployment:
    found = await deployments.get(services.store, deployment.tenant_id, deployment.id)
    assert found
    return found


async def told(services: Services, deployment: Deployment) -> list[DeploymentEvent]:
    events = await deployment_events.read(services.store, deployment.tenant_id, deployment.id, 0, 1_000)
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    return events


async def became(services: Services, deployment: Deployment, *statuses: S, **values: Any) -> Deployment:
    """What workers and reviewers make of it, one status after the other, without any of their rules."""
    for status in statuses:
        async with services.store.transaction(deployment.tenant_id):
            await _before(services, deployment, status)
            changed = await deployment_changes.change(
                services.store,
                deployment.tenant_id,
                deployment.id,
                expected=set(S),
                draft=DeploymentEventDraft(status, "step", f"It is {status} now."),
                values=values | _values(status),
                exprs=_EXPRS.get(status, {}),
            )
        assert changed
        deployment = changed[0]
    return deployment


async def in_review(services: Services, viewer: Viewer, agent: Agent | None = None, **given: Any) -> Deployment:
    """A deployment that waits for reviewers; its version has a number of its own."""
    made = await became(services, await submitted(services, viewer, agent, **given), S.VALIDATING)
    await _candidate(services.store, made)
    made = await became(services, made, S.IN_REVIEW)
    await review_changes.insert(services.store, await review_of(services, made), "s" * 64)
    return made


async def approved(services: Services, viewer: Viewer, agent: Agent | None = None, **given: Any) -> Deployment:
    """A deployment that another person has voted for."""
    made = await in_review(services, viewer, agent, **given)
    return await became(services, made, S.APPROVED)


async def review_of(services: Services, deployment: Deployment, **changes: Any) -> Review:
    """A review that begins now."""
    now = await services.store.now()
    made = Review(
        id=new_id(),
        tenant_id=deployment.tenant_id,
        deployment_id=deployment.id,
        status=ReviewStatus.QUEUED,
        risk=Severity.MEDIUM,
        policy=Policy(1, False, "internal", 4.0),
        policy_digest=DIGEST,
        config_digest=DIGEST,
        excluded=(deployment.submitted_by,),
        queued_at=now,
        expires_at=now + DAY,
        expected_at=now + timedelta(hours=4),
        expected_basis="As usual.",
    )
    return replace(made, **changes)


async def _before(services: Services, deployment: Deployment, status: S) -> None:
    """What has to be there before a deployment can be so."""
    if status is not S.APPROVED or (await stored(services, deployment)).approved_at:
        return
    store, tenant_id = services.store, deployment.tenant_id
    rows = await store.of(tenant_id).fetch(
        "SELECT id FROM reviews WHERE tenant_id = $1 AND deployment_id = $2", tenant_id, deployment.id
    )
    voter = await colleague(store, await demo(store), f"Voter {new_id()[-6:]}")
    vote = Vote(
        rows[0]["id"],
        voter.user.id,
        Decision.APPROVE,
        deployment.package_digest,
        None,
        None,
        await store.now(),
        seal="s" * 64,
    )
    assert await review_changes.vote(store, tenant_id, vote)
    assert await review_changes.ended(store, tenant_id, deployment.id, ReviewStatus.APPROVED)


async def _candidate(store: Store, deployment: Deployment, **changes: Any) -> str:
    """The version that validation makes."""
    id = new_id()  # noqa: A001
    declared = manifest(**changes)
    async with store.transaction(deployment.tenant_id):
        scope = store.of(deployment.tenant_id)
        await scope.fetch(
            "INSERT INTO agent_versions (id, tenant_id, agent_id, version, package_digest, manifest_digest,"
            " manifest, classification, submitted_by, created_ms, bound, state)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, {now}, FALSE, 'CANDIDATE')",
            id,
            deployment.tenant_id,
            deployment.agent_id,
            declared["version"],
            deployment.package_digest,
            DIGEST,
            orjson.dumps(declared).decode(),
            declared["data"]["classification"],
            deployment.submitted_by,
        )
        await scope.fetch(
            "UPDATE deployments SET version_id = $3, manifest_digest = $4 WHERE tenant_id = $1 AND id = $2",
            deployment.tenant_id,
            deployment.id,
            id,
            DIGEST,
        )
    return id


_FINISHED = {"finished_ms": "{now}"}
_EXPRS: dict[S, dict[str, str]] = {
    S.INVALID: _FINISHED,
    S.IN_REVIEW: {"review_deadline_ms": "{now} + 86400000"},
    S.REJECTED: _FINISHED,
    S.EXPIRED: _FINISHED,
    S.WITHDRAWN: _FINISHED,
    S.APPROVED: {
        "approved_ms": "COALESCE(approved_ms, {now})",
        "execute_by_ms": "COALESCE(execute_by_ms, {now} + 86400000)",
    },
    S.LAPSED: _FINISHED,
    S.RETIRED: _FINISHED,
    S.ROLLED_BACK: _FINISHED,
    S.DEPLOYING: {"attempts": "attempts + 1"},
    S.LIVE: {"deployed_ms": "{now}", "finished_ms": "NULL"},
}


def _values(status: S) -> dict[str, Any]:
    if status in {S.INVALID, S.IN_REVIEW}:
        return {"checks": "[]"} | ({"quorum": 1} if status is S.IN_REVIEW else {})
    if status is S.LIVE:
        return {"approval": "{}"}
    return {"failure": "It did not start."} if status is S.DEPLOY_FAILED else {}
