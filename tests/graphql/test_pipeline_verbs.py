"""The verbs of the pipeline as a client uses them: what they answer, and how they refuse."""

from typing import Any

from schema.ids import Kind, encode
from tests.graphql.pipeline import agent, agent_id, id_of, look
from tests.graphql.world import Client
from tests.operations.packages_world import agent as packaged
from tests.operations.packages_world import mine, ready_for, simulated, uploaded
from tests.operations.pipeline_world import became, registered, stored
from tests.operations.releases_world import agent_with, approved, claimed, rolled, versions_of
from tests.operations.review_world import FINDING, REASON, person, review_of, reviewable, to_review
from tests.packages.world import manifest
from windtunnel.domain.configuring import EntryRequest
from windtunnel.domain.deployments import DeploymentStatus as S
from windtunnel.domain.ids import new_id
from windtunnel.domain.pages import PageRequest
from windtunnel.domain.viewers import Role
from windtunnel.operations.configure_production import configure_production
from windtunnel.operations.restoring import complete
from windtunnel.storage import deployments

WHY = "It answers in the wrong language."
EVIDENCE = """query ($id: ID!) { deployment(id: $id) { review { evidence {
  summary stale subject { __typename id } } } } }"""


async def test_from_registering_to_a_decision(client: Client) -> None:
    services, viewer = client.services, client.signed_in
    given = {"slug": "triage", "name": "Triage", "description": "Sorts tickets.", "idempotencyKey": "once"}
    made = await client.do("registerAgent", "agent { id slug description owner { name } }", given)
    assert (made["errors"], made["agent"]["slug"]) == ([], "triage")
    assert await client.do("registerAgent", "agent { id slug description owner { name } }", given) == made
    refused = await client.do("registerAgent", "agent { id }", given | {"idempotencyKey": None})
    assert (refused["agent"], refused["errors"][0]["code"]) == (None, "CONFLICT")
    refused = await client.do("registerAgent", "agent { id }", given | {"slug": "No Slug", "idempotencyKey": None})
    assert refused["errors"][0]["path"] == ["input", "slug"]

    digest = await uploaded(services, viewer, mine())
    asked = {"agentId": made["agent"]["id"], "packageDigest": digest, "changelog": "First.", "idempotencyKey": "k"}
    shown = "deployment { id status changelog } expectedReviewBy"
    submitted = await client.do("submitDeployment", shown, asked)
    assert (submitted["errors"], submitted["deployment"]["status"]) == ([], "SUBMITTED")
    assert submitted["expectedReviewBy"] is not None
    assert await client.do("submitDeployment", shown, asked) == submitted
    for wrong, path in (
        ({"agentId": "nonsense"}, ["input", "agentId"]),
        ({"agentId": encode(Kind.AGENT, new_id())}, ["input", "agentId"]),
        ({"packageDigest": "0" * 64}, ["input", "packageDigest"]),
    ):
        refused = await client.do("submitDeployment", shown, asked | {"idempotencyKey": None} | wrong)
        assert (refused["deployment"], refused["expectedReviewBy"]) == (None, None)
        assert (refused["errors"][0]["code"], refused["errors"][0]["path"]) == ("NOT_FOUND", path)

    found = await deployments.page(services.store, viewer.tenant_id, PageRequest())
    (waiting,) = found.items
    waiting = await to_review(services, waiting, **manifest(name="demo/triage"))
    reviewer = Client(services, await person(services, viewer, "rae@demo.local"))
    review = encode(Kind.REVIEW, (await review_of(services, waiting)).id)
    taken = await reviewer.do("claimReview", "review { id status claimedBy { name } }", {"reviewId": review})
    assert (taken["errors"], taken["review"]["status"]) == ([], "IN_REVIEW")
    own = {"deploymentId": id_of(waiting), "reviewedDigest": digest}
    refused = await client.do("approveDeployment", "deployment { id }", own)
    assert [(each["__typename"], each["code"]) for each in refused["errors"]] == [("PolicyError", "SELF_REVIEW")]
    refused = await reviewer.do("approveDeployment", "deployment { id }", own | {"reviewedDigest": "0" * 64})
    assert refused["errors"][0]["code"] == "DIGEST_MISMATCH"
    done = await reviewer.do("approveDeployment", "deployment { id status }", own | {"comment": "Good."})
    assert done == {"deployment": {"id": id_of(waiting), "status": "APPROVED"}, "errors": []}


async def test_a_rejection_needs_findings(client: Client) -> None:
    services, viewer = client.services, client.signed_in
    made = await reviewable(services, viewer)
    reviewer = Client(services, await person(services, viewer, "rae@demo.local"))
    finding = {
        "severity": "HIGH",
        "title": FINDING.title,
        "detail": FINDING.detail,
        "remediation": FINDING.remediation,
    }
    asked: dict[str, Any] = {"deploymentId": id_of(made), "reason": REASON, "findings": [finding]}
    wrongs: list[dict[str, Any]] = [{"reason": "No."}, {"findings": []}, {"findings": [finding | {"remediation": " "}]}]
    for wrong in wrongs:
        refused = await reviewer.do("rejectDeployment", "deployment { id }", asked | wrong)
        assert (refused["deployment"], refused["errors"][0]["code"]) == (None, "BAD_USER_INPUT"), wrong
    done = await reviewer.do("rejectDeployment", "deployment { status review { findings { title } } }", asked)
    assert done["deployment"] == {"status": "REJECTED", "review": {"findings": [{"title": FINDING.title}]}}
    refused = await reviewer.do("rejectDeployment", "deployment { id }", asked)
    assert (refused["errors"][0]["__typename"], refused["errors"][0]["current"]) == ("ConflictError", "REJECTED")


async def test_withdrawing_and_retrying(client: Client, eve: Client) -> None:
    services, viewer = client.services, client.signed_in
    made = await reviewable(services, viewer)
    named = {"deploymentId": id_of(made)}
    for verb in ("withdrawDeployment", "retryDeployment"):
        refused = await eve.do(verb, "deployment { id }", named)
        assert [(each["code"], each["resourceId"]) for each in refused["errors"]] == [("NOT_FOUND", id_of(made))]
    done = await client.do("withdrawDeployment", "deployment { status }", named | {"reason": "A better one comes."})
    assert done == {"deployment": {"status": "WITHDRAWN"}, "errors": []}
    assert (await client.do("withdrawDeployment", "deployment { id }", named))["errors"][0]["code"] == "CONFLICT"
    agent = await registered(services, viewer, "other")
    failed = await became(services, await approved(services, viewer, agent, "1.0.0"), S.DEPLOYING, S.DEPLOY_FAILED)
    done = await client.do("retryDeployment", "deployment { status attempts }", {"deploymentId": id_of(failed)})
    assert done == {"deployment": {"status": "DEPLOYING", "attempts": 2}, "errors": []}


async def test_rolling_back_and_lifting_what_it_left(client: Client) -> None:
    services, viewer = client.services, client.signed_in
    made = await agent_with(services, viewer, "1.0.0", "2.0.0", "3.0.0")
    versions = await versions_of(services, made)
    waiting = await approved(services, viewer, made, "4.0.0")
    shown = "rollback { status toVersion { version } fromVersion { version } }"
    asked = {"agentId": agent_id(made), "reason": WHY}
    for wrong, code in (
        ({"reason": "no"}, "BAD_USER_INPUT"),
        ({"toVersionId": "nonsense"}, "NOT_FOUND"),
        ({"toVersionId": encode(Kind.AGENT_VERSION, versions["3.0.0"].id)}, "ROLLBACK_INELIGIBLE"),
    ):
        refused = await client.do("rollbackDeployment", shown, asked | wrong)
        assert (refused["rollback"], refused["errors"][0]["code"]) == (None, code), wrong
    first = encode(Kind.AGENT_VERSION, versions["1.0.0"].id)
    done = await client.do("rollbackDeployment", shown, asked | {"toVersionId": first, "idempotencyKey": "k"})
    expected = {"status": "RUNNING", "toVersion": {"version": "1.0.0"}, "fromVersion": {"version": "3.0.0"}}
    assert done == {"rollback": expected, "errors": []}
    assert await client.do("rollbackDeployment", shown, asked | {"toVersionId": first, "idempotencyKey": "k"}) == done
    assert (await look(client, waiting))["status"] == "HELD"
    await complete(services, await claimed(services))

    lifted = await client.do("releaseHold", "agent { heldSince }", {"agentId": agent_id(made), "reason": WHY})
    assert lifted == {"agent": {"heldSince": None}, "errors": []}
    assert (await look(client, waiting))["status"] == "APPROVED"
    reviewer = Client(services, await person(services, viewer, "rae@demo.local"))
    third = {"versionId": encode(Kind.AGENT_VERSION, versions["3.0.0"].id), "reason": WHY}
    released = await reviewer.do("releaseQuarantine", "version { state rollbackEligible }", third)
    assert released == {"version": {"state": "STANDBY", "rollbackEligible": True}, "errors": []}
    assert (await reviewer.do("releaseQuarantine", "version { id }", third))["errors"][0]["code"] == "CONFLICT"
    assert (await agent(client, made.slug))["rollbackTargets"][0] == {"version": "3.0.0"}


async def test_only_what_ran_the_package_is_evidence(client: Client) -> None:
    services, viewer = client.services, client.signed_in
    environment = await ready_for(services)
    data = packaged("def run(input):\n    return {}\n")
    ran = encode(Kind.SIMULATION, (await simulated(services, environment, data)).id)
    made = await registered(services, viewer)
    digest = await uploaded(services, viewer, data)
    asked = {"agentId": agent_id(made), "packageDigest": digest, "evidenceIds": [ran]}
    for other in ("nonsense", agent_id(made), encode(Kind.SIMULATION, new_id())):
        refused = await client.do("submitDeployment", "deployment { id }", asked | {"evidenceIds": [ran, other]})
        (error,) = refused["errors"]
        assert (error["code"], error["path"]) == ("BAD_USER_INPUT", ["input", "evidenceIds", "1"])
    await client.do("submitDeployment", "deployment { id }", asked)
    (waiting,) = (await deployments.page(services.store, viewer.tenant_id, PageRequest())).items
    waiting = await to_review(services, waiting, name="demo/triage")
    (shown,) = (await client.get(EVIDENCE, {"id": id_of(waiting)}))["deployment"]["review"]["evidence"]
    assert (shown["stale"], shown["subject"]) == (False, {"__typename": "Simulation", "id": ran})
    assert shown["summary"].startswith("Simulated to its end")
    await configure_production(services, viewer, [EntryRequest("MODEL", "other", None)], ())
    await client.do(
        "deleteEnvironment", "environment { id }", {"environmentId": encode(Kind.ENVIRONMENT, environment.id)}
    )
    (shown,) = (await client.get(EVIDENCE, {"id": id_of(waiting)}))["deployment"]["review"]["evidence"]
    assert (shown["stale"], shown["subject"]) == (True, None)


async def test_without_the_role_nothing_is_done(client: Client) -> None:
    services, viewer = client.services, client.signed_in
    made = await reviewable(services, viewer)
    agent = await agent_with(services, viewer, "1.0.0", "2.0.0")
    await rolled(services, viewer, agent)
    admin = Client(services, await person(services, viewer, "ada@demo.local", Role.ADMIN, Role.OPERATOR))
    document = "mutation ($i: ApproveDeploymentInput!) { approveDeployment(input: $i) { deployment { id } } }"
    given = {"i": {"deploymentId": id_of(made), "reviewedDigest": made.package_digest}}
    assert (await admin.ask(document, given)).codes == ["FORBIDDEN"]
    document = "mutation ($i: ReleaseQuarantineInput!) { releaseQuarantine(input: $i) { version { id } } }"
    version = (await versions_of(services, agent))["2.0.0"]
    given = {"i": {"versionId": encode(Kind.AGENT_VERSION, version.id), "reason": WHY}}
    assert (await admin.ask(document, given)).codes == ["FORBIDDEN"]
    assert (await stored(services, made)).status is S.IN_REVIEW
