"""Environments as a client asks for them, and what is shown of them."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from strawberry.types import ExecutionResult
from strawberry.types.execution import PreExecutionError

from app.graphql.masking import public_errors
from schema.ids import Kind, encode
from tests.graphql.world import Client
from windtunnel.domain.environments import Environment
from windtunnel.operations.services import Services
from windtunnel.operations.tend_environment import tend_environment
from windtunnel.storage import environment_care

SHOWN = """id name status createdAt createdBy { name } readyAt provisioningTime expiresAt failure lastSeq
  isolation { level namespace allowsCode verifiedAt limitsNotEnforced mechanisms { name detail }
    probes { name outcome detail } }
  configuration { productionRevision digest matchesProduction drift { key production environment } }
  resources { key kind status createdAt removedAt } limits { cpu memoryMb storageMb maxSimulations }
  usage { wallHours cpuSeconds storageBytes tokens simulations }
  cleanup { startedAt finishedAt complete remaining digest receipt removed { key } }"""
ONE = f"query ($id: ID!) {{ environment(id: $id) {{ {SHOWN} }} }}"
LIST = f"""query ($first: Int, $after: String, $last: Int, $before: String, $filter: EnvironmentFilter) {{
  environments(first: $first, after: $after, last: $last, before: $before, filter: $filter) {{
    totalCount pageInfo {{ hasNextPage endCursor }} edges {{ cursor node {{ name }} }} nodes {{ {SHOWN} }} }} }}"""
FOLLOW = """subscription ($id: ID!, $after: Int) { environmentEvents(environmentId: $id, after: $after) {
  environmentId seq at status step message progress } }"""


def id_of(environment: Environment) -> str:
    return encode(Kind.ENVIRONMENT, environment.id)


async def look(client: Client, environment: Environment) -> Any:
    """Everything that is shown of it."""
    return (await client.get(ONE, {"id": id_of(environment)}))["environment"]


async def names(client: Client, **filter: Any) -> list[str]:
    """Those that pass the filter, as they are listed."""
    found = await client.get(LIST, {"filter": filter})
    return [each["name"] for each in found["environments"]["nodes"]]


async def do(client: Client, verb: str, **input: Any) -> Any:
    """The payload of a mutation about an environment."""
    return await client.do(f"{verb}Environment", f"environment {{ {SHOWN} }}", input)


async def asked(client: Client, name: str = "try", **input: Any) -> Any:
    """A new environment, as the client sees it."""
    payload = await do(client, "provision", name=name, **input)
    assert payload["errors"] == []
    return payload["environment"]


async def followed(client: Client, id: str, after: int | None = 0) -> AsyncGenerator[Any, None]:
    """The events of an environment as they come; ValueError with its code when the stream ends in an error."""
    variables = {"id": id, "after": after}
    async with aclosing(await client.schema.stream(FOLLOW, variables, client.context())) as results:
        async for result in results:
            assert isinstance(result, ExecutionResult | PreExecutionError)
            for error in public_errors(result.errors or [], "test"):
                raise ValueError(str((error.extensions or {}).get("code")))
            assert result.data
            yield result.data["environmentEvents"]


async def tend(services: Services) -> None:
    """Make, and take away, whatever is to be made and taken away, as a worker does."""
    while claimed := await environment_care.claim(services.store, "caretaker", 20):
        for environment in claimed:
            await tend_environment(services, environment)
