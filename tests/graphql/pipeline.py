"""The pipeline as a client asks for it, and what is shown of it."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from strawberry.types import ExecutionResult
from strawberry.types.execution import PreExecutionError

from app.graphql.masking import public_errors
from schema.ids import Kind, encode
from tests.graphql.world import Client
from windtunnel.domain.agents import Agent
from windtunnel.domain.deployments import Deployment

CHECK = "code passed severity path line detail remediation"
VERSION = f"""id version isLive state changelog createdAt deployedAt rollbackEligible ineligibleReason quarantineReason
  submittedBy {{ name }} agent {{ slug }} package {{ digest sizeBytes manifest checks {{ {CHECK} }} }}
  dataAccess {{ resource sensitivity access justification }}"""
HISTORY = """query ($slug: String!, $first: Int, $after: String) { agent(by: { slug: $slug }) {
  versions(first: $first, after: $after) { totalCount pageInfo { hasNextPage endCursor } edges { cursor }
    nodes { id version isLive state changelog createdAt deployedAt rollbackEligible ineligibleReason
      submittedBy { name } package { digest sizeBytes } dataAccess { resource sensitivity } } } } }"""
AGENT = f"""id slug name description createdAt heldSince heldBy {{ id }} owner {{ name }}
  productionVersion {{ version }} versions {{ nodes {{ {VERSION} }} }} rollbackTargets {{ version }}
  deployments {{ totalCount nodes {{ id status }} }}"""
REVIEW = f"""id status risk requiredApprovals queuedAt expectedBy expectedBasis expiresAt queuePosition decidedAt
  comment claimedBy {{ name }} votes {{ decision comment reviewer {{ name }} }} deployment {{ id }}
  findings {{ severity title detail remediation }} automatedChecks {{ {CHECK} }}
  evidence {{ summary stale subject {{ __typename id }} }}"""
DEPLOYMENT = f"""id status submittedAt approvedAt executeBy deployedAt finishedAt failure changelog attempts
  revision lastSeq rollbackUntil agent {{ slug }} version {{ version }} submittedBy {{ name }} review {{ {REVIEW} }}
  rollbacks {{ id status }} timeline {{ deploymentId seq status step message progress actor {{ name }} }}
  package {{ digest sizeBytes manifest checks {{ code }} }}"""
ROLLBACK = """id status reason startedAt finishedAt durationMs notifiedWorkflows failure
  deployment { id status } fromVersion { version } toVersion { version } requestedBy { name }"""
QUEUE = f"""query ($first: Int, $after: String, $filter: ReviewFilter) {{
  reviewQueue(first: $first, after: $after, filter: $filter) {{
    totalCount pageInfo {{ hasNextPage endCursor }} edges {{ cursor node {{ id }} }} nodes {{ {REVIEW} }} }} }}"""
LIST = """query ($first: Int, $after: String, $last: Int, $before: String, $filter: DeploymentFilter) {
  deployments(first: $first, after: $after, last: $last, before: $before, filter: $filter) {
    totalCount pageInfo { hasNextPage endCursor } edges { cursor node { id } } nodes { id status } } }"""


def agent_id(agent: Agent) -> str:
    return encode(Kind.AGENT, agent.id)


def id_of(deployment: Deployment) -> str:
    return encode(Kind.DEPLOYMENT, deployment.id)


async def agent(client: Client, slug: str) -> Any:
    """Everything that is shown of it."""
    document = f"query ($slug: String!) {{ agent(by: {{ slug: $slug }}) {{ {AGENT} }} }}"
    return (await client.get(document, {"slug": slug}))["agent"]


async def history(client: Client, slug: str, **page: Any) -> Any:
    """A page of the agent's versions."""
    return (await client.get(HISTORY, {"slug": slug, **page}))["agent"]["versions"]


async def look(client: Client, deployment: Deployment) -> Any:
    """Everything that is shown of it."""
    document = f"query ($id: ID!) {{ deployment(id: $id) {{ {DEPLOYMENT} }} }}"
    return (await client.get(document, {"id": id_of(deployment)}))["deployment"]


async def followed(client: Client, field: str, arguments: str, shown: str, **given: Any) -> AsyncGenerator[Any, None]:
    """What a subscription tells; ValueError with its code when it ends in an error."""
    declared = ", ".join(f"${name}: {type_}" for name, type_ in _TYPES.items() if name in given)
    document = f"subscription{f'({declared})' if declared else ''} {{ {field}{arguments} {{ {shown} }} }}"
    async with aclosing(await client.schema.stream(document, given, client.context())) as results:
        async for result in results:
            assert isinstance(result, ExecutionResult | PreExecutionError)
            for error in public_errors(result.errors or [], "test"):
                raise ValueError(str((error.extensions or {}).get("code")))
            assert result.data
            yield result.data[field]


_TYPES = {"id": "ID!", "ids": "[ID!]", "after": "Int"}
