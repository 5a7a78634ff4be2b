"""What happens in the pipeline, as clients follow it: without gap or repeat, from where they left off."""

from contextlib import aclosing

import pytest

from schema.ids import Kind, encode
from tests.graphql.pipeline import agent_id, followed, id_of
from tests.graphql.world import Client
from tests.operations.pipeline_world import became, submitted
from tests.operations.releases_world import agent_with, claimed, rolled
from tests.operations.review_world import approve, person, review_of, reviewable
from windtunnel.domain.configuring import EntryRequest
from windtunnel.domain.deployments import DeploymentStatus as S
from windtunnel.domain.ids import new_id
from windtunnel.domain.viewers import Role
from windtunnel.operations.claim_review import claim_review
from windtunnel.operations.configure_production import configure_production
from windtunnel.operations.restoring import complete

DEPLOYMENT = (
    "deploymentEvents",
    "(deploymentId: $id, after: $after)",
    "deploymentId seq status message actor { name }",
)
QUEUE = ("reviewQueueEvents", "(after: $after)", "seq change review { status claimedBy { name } deployment { id } }")
PRODUCTION = (
    "productionEvents",
    "(agentIds: $ids, after: $after)",
    "seq kind agent { slug productionVersion { version } } version { version state } previous { version }",
)


async def test_a_deployment_is_followed_to_its_end(client: Client, eve: Client) -> None:
    services, viewer = client.services, client.signed_in
    made = await submitted(services, viewer)
    async with aclosing(followed(client, *DEPLOYMENT, id=id_of(made), after=0)) as events:
        first = await anext(events)
        assert (first["seq"], first["status"], first["actor"]) == (1, "SUBMITTED", {"name": viewer.user.name})
        await became(services, made, S.VALIDATING, S.INVALID)
        assert [event["status"] async for event in events] == ["VALIDATING", "INVALID"]
    resumed = [event["seq"] async for event in followed(client, *DEPLOYMENT, id=id_of(made), after=1)]
    assert resumed == [2, 3]
    for someone, named in ((eve, id_of(made)), (client, encode(Kind.DEPLOYMENT, new_id())), (client, "nonsense")):
        with pytest.raises(ValueError, match="NOT_FOUND"):
            await anext(followed(someone, *DEPLOYMENT, id=named, after=0))
    with pytest.raises(ValueError, match="BAD_USER_INPUT"):
        await anext(followed(client, *DEPLOYMENT, id=id_of(made), after=-1))


async def test_the_queue_is_followed(client: Client) -> None:
    services, viewer = client.services, client.signed_in
    reviewer = Client(services, await person(services, viewer, "rae@demo.local"))
    made = await reviewable(services, viewer)
    async with aclosing(followed(reviewer, *QUEUE, after=0)) as events:
        await claim_review(services, reviewer.signed_in, (await review_of(services, made)).id)
        taken = await anext(events)
        assert (taken["seq"], taken["change"]) == (1, "CLAIMED")
        name = {"name": reviewer.signed_in.user.name}
        assert taken["review"] == {"status": "IN_REVIEW", "claimedBy": name, "deployment": {"id": id_of(made)}}
        await approve(services, reviewer.signed_in, made)
        decided = await anext(events)  # read anew, not as it was at the event before
        assert (decided["seq"], decided["change"], decided["review"]["status"]) == (2, "DECIDED", "APPROVED")
    async with aclosing(followed(reviewer, *QUEUE, after=1)) as events:
        assert (await anext(events))["seq"] == 2
    developer = Client(services, await person(services, viewer, "dee@demo.local", Role.DEVELOPER, Role.OPERATOR))
    with pytest.raises(ValueError, match="FORBIDDEN"):
        await anext(followed(developer, *QUEUE, after=0))


async def test_production_is_followed(client: Client) -> None:
    services, viewer = client.services, client.signed_in
    made = await agent_with(services, viewer, "1.0.0", "2.0.0")
    other = await agent_with(services, viewer, "1.0.0", "2.0.0")
    async with aclosing(followed(client, *PRODUCTION, ids=[agent_id(made)], after=0)) as events:
        await rolled(services, viewer, other)
        await complete(services, await claimed(services))
        await rolled(services, viewer, made)
        started = await anext(events)
        assert (started["kind"], started["agent"]["slug"]) == ("ROLLBACK_STARTED", made.slug)
        assert started["agent"]["productionVersion"] == {"version": "2.0.0"}
        assert (started["version"], started["previous"]) == (
            {"version": "1.0.0", "state": "STANDBY"},
            {"version": "2.0.0"},
        )
        await complete(services, await claimed(services))
        completed = await anext(events)  # read anew
        assert (completed["kind"], completed["version"]["state"]) == ("ROLLBACK_COMPLETED", "LIVE")
        assert completed["agent"]["productionVersion"] == {"version": "1.0.0"}
        seen = completed["seq"]
    async with aclosing(followed(client, *PRODUCTION, ids=None, after=seen)) as events:
        await configure_production(services, viewer, [EntryRequest("MODEL", "other", None)], ())
        changed = {"seq": seen + 1, "kind": "CONFIGURATION_CHANGED", "agent": None, "version": None, "previous": None}
        assert await anext(events) == changed
    for unknown in ("nonsense", encode(Kind.AGENT, new_id())):
        with pytest.raises(ValueError, match="NOT_FOUND"):
            await anext(followed(client, *PRODUCTION, ids=[agent_id(made), unknown], after=0))
