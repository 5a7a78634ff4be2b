"""What docs/pipeline.md tells a newcomer to ask leads from a package in review into production and back."""

import re
from contextlib import aclosing
from pathlib import Path
from typing import Any

from strawberry.types import ExecutionResult

from tests.graphql.world import Client
from tests.operations.pipeline_world import registered, stored
from tests.operations.releases_world import claimed, go_live
from tests.operations.review_world import person, reviewable
from windtunnel.operations.restoring import complete

PAGE = (Path(__file__).parents[2] / "docs/pipeline.md").read_text("utf-8")
QUEUE, CLAIM, APPROVE, REJECT, FOLLOW, AGENT, ROLL_BACK, PRODUCTION = re.findall(
    r"^```graphql\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE
)


async def test_the_documents_lead_into_production_and_back(client: Client) -> None:
    services, viewer = client.services, client.signed_in
    reviewer = Client(services, await person(services, viewer, "reviewer@demo.local"))
    agent = await registered(services, viewer)
    for number in ("1.0.0", "1.1.0"):
        made = await reviewable(services, viewer, agent, version=number)
        (waiting,) = (await reviewer.get(QUEUE))["reviewQueue"]["nodes"]
        named = waiting["deployment"]
        assert named["version"]["version"] == number
        claimed_one = (await reviewer.get(CLAIM, {"review": waiting["id"]}))["claimReview"]
        assert (claimed_one["review"]["claimedBy"], claimed_one["errors"]) == ({"name": "reviewer"}, [])
        given = {"id": named["id"], "digest": named["package"]["digest"]}
        assert (await reviewer.get(APPROVE, given))["approveDeployment"] == {
            "deployment": {"status": "APPROVED"},
            "errors": [],
        }
        assert await go_live(services, await stored(services, made)) is not None
        told = await _told(client, FOLLOW, {"id": named["id"]}, "deploymentEvents")
        assert told[-1]["status"] == "LIVE"
    shown = (await client.get(AGENT))["agent"]
    assert (shown["productionVersion"]["version"], shown["rollbackTargets"][0]["version"]) == ("1.1.0", "1.0.0")
    started = (await client.get(ROLL_BACK, {"agent": shown["id"]}))["rollbackDeployment"]
    assert (started["errors"], started["rollback"]["toVersion"]) == ([], {"version": "1.0.0"})
    await complete(services, await claimed(services))
    assert (await client.get(AGENT))["agent"]["productionVersion"]["version"] == "1.0.0"
    assert "productionEvents" in PRODUCTION


async def test_the_documents_refuse_it(client: Client) -> None:
    services, viewer = client.services, client.signed_in
    reviewer = Client(services, await person(services, viewer, "reviewer@demo.local"))
    await reviewable(services, viewer, await registered(services, viewer))
    (waiting,) = (await reviewer.get(QUEUE))["reviewQueue"]["nodes"]
    refused = (await reviewer.get(REJECT, {"id": waiting["deployment"]["id"]}))["rejectDeployment"]
    assert refused == {"deployment": {"status": "REJECTED"}, "errors": []}


async def _told(client: Client, document: str, given: dict[str, Any], field: str) -> list[Any]:
    """Everything that a stream tells up to its end."""
    async with aclosing(await client.schema.stream(document, given, client.context())) as results:
        found = []
        async for result in results:
            assert isinstance(result, ExecutionResult)
            assert result.data
            found.append(result.data[field])
        return found
