"""Specification "Agent Deployment Pipeline", line by line: scenarios, edge cases, acceptance criteria."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.packages.world import FILES, package
from tests.processes import Api
from tests.promises.pipeline import DEPLOYMENT, FINDING, REASON, Person, hired

VERSIONS = """query ($id: ID!) { agent(by: {id: $id}) {
  productionVersion { version }
  rollbackTargets { id version }
  versions(first: 20) { totalCount nodes {
    id version isLive state changelog createdAt deployedAt rollbackEligible ineligibleReason
    submittedBy { email } package { digest sizeBytes manifest } dataAccess { resource justification } } } } }"""
ROLLBACK = "rollback { id status reason durationMs notifiedWorkflows fromVersion { version } toVersion { version } }"
ROLLBACKS = ROLLBACK.replace("rollback {", "rollbacks {")
DAY = timedelta(days=1)


class People(NamedTuple):
    """Everybody who has a part in it."""

    dev: Person
    reviewer: Person
    second: Person
    operator: Person
    admin: Person
    auditor: Person


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pipeline")


@pytest.fixture(scope="module")
def api(data_dir: Path) -> Iterator[Api]:
    with Api({"WINDTUNNEL_DATA_DIR": str(data_dir), "WINDTUNNEL_AUTH": "token"}) as process:
        yield process


@pytest.fixture(scope="module")
def people(api: Api, data_dir: Path) -> People:
    return people_of(api, data_dir)


def people_of(api: Api, data_dir: Path) -> People:
    return People(
        hired(api, data_dir, "ada", "DEVELOPER"),
        hired(api, data_dir, "bob", "SECURITY_REVIEWER"),
        hired(api, data_dir, "cyd", "SECURITY_REVIEWER"),
        hired(api, data_dir, "dan", "OPERATOR"),
        hired(api, data_dir, "eve", "ADMIN", "DEVELOPER"),
        hired(api, data_dir, "flo", "AUDITOR"),
    )


@pytest.fixture
def later(tmp_path: Path) -> Iterator[Any]:
    """A server of the test's own, which can be begun again at a later time."""
    running: list[Api] = []
    everybody: list[Person] = []

    def server(offset: str) -> People:
        for each in running:
            each.stop()
        settings = {"WINDTUNNEL_TEST_CLOCK": "1", "WINDTUNNEL_CLOCK_OFFSET": offset}
        api = Api({"WINDTUNNEL_DATA_DIR": str(tmp_path), "WINDTUNNEL_AUTH": "token", **settings})
        api.start()
        running[:] = [api]
        known = everybody or people_of(api, tmp_path)
        everybody[:] = [replace(each, api=api) for each in known]
        return People(*everybody)

    yield server
    for each in running:
        each.stop()


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def trail(people: People, *actions: str) -> list[dict[str, Any]]:
    """What the audit log has of these actions, the newest first."""
    query = """query ($actions: [AuditAction!]) { auditLog(first: 100, filter: {actions: $actions}) {
      nodes { action reason actor { email } subject { id } details } } }"""
    nodes: list[dict[str, Any]] = people.auditor.ask(query, actions=list(actions) or None)["auditLog"]["nodes"]
    return nodes


def waiting(people: People, slug: str, version: str = "1.0.0", agent_id: str | None = None, **given: Any) -> Any:
    """A deployment in review."""
    made = people.dev.submit(agent_id or people.dev.registered(slug), slug, version, **given)["deployment"]
    return people.dev.until(made["id"], "IN_REVIEW")


def approve(person: Person, deployment: Any, **given: Any) -> Any:
    digest = deployment["package"]["digest"]
    return person.done("approveDeployment", deploymentId=deployment["id"], reviewedDigest=digest, **given)["deployment"]


# User story 1: secure deployment process


def test_1_1_a_submission_enters_the_queue_with_an_expected_time_and_reviewers_are_notified(people: People) -> None:
    payload = people.dev.submit(people.dev.registered("one"), "one", "1.0.0", changelog="The first one.")
    expected = moment(payload["expectedReviewBy"])
    made = people.dev.until(payload["deployment"]["id"], "IN_REVIEW")
    assert moment(made["review"]["expectedBy"]) == expected
    assert moment(made["submittedAt"]) < expected <= moment(made["review"]["expiresAt"])
    assert "The policy's default of 4 h" in made["review"]["expectedBasis"]
    queue = people.reviewer.ask("{ reviewQueue { nodes { deployment { id } queuePosition risk } } }")["reviewQueue"]
    assert made["id"] in [each["deployment"]["id"] for each in queue["nodes"]]
    for reviewer in (people.reviewer, people.second):
        assert "REVIEW_REQUESTED" in [kind for kind, _ in reviewer.notified()]
    assert all(check["passed"] for check in made["package"]["checks"])


def test_1_2_an_approval_deploys_by_itself_notifies_and_is_in_the_audit_log(people: People) -> None:
    made = waiting(people, "two")
    approve(people.reviewer, made, comment="Looks good.")
    live = people.dev.until(made["id"], "LIVE")
    assert live["version"] == {"id": live["version"]["id"], "version": "1.0.0", "state": "LIVE", "isLive": True}
    assert live["review"]["votes"] == [
        {"reviewer": {"email": people.reviewer.email}, "decision": "APPROVE", "comment": "Looks good."}
    ]
    assert "DEPLOYMENT_SUCCEEDED" in [kind for kind, _ in people.dev.notified()]
    on_record = [each["action"] for each in trail(people) if (each["subject"] or {}).get("id") == made["id"]]
    assert {"DEPLOYMENT_SUBMITTED", "DEPLOYMENT_APPROVED", "DEPLOYMENT_STARTED", "DEPLOYMENT_COMPLETED"} <= {*on_record}
    assert on_record.count("DEPLOYMENT_COMPLETED") == 1


def test_1_3_a_rejection_tells_what_is_wrong_what_to_do_and_is_logged_with_its_reason(people: People) -> None:
    made = waiting(people, "three")
    without = {key: value for key, value in FINDING.items() if key != "remediation"} | {"remediation": " "}
    for reason, findings in ((REASON, []), (REASON, [without]), ("Too short.", [FINDING])):
        code = people.reviewer.refused("rejectDeployment", deploymentId=made["id"], reason=reason, findings=findings)
        assert code == "BAD_USER_INPUT"
    people.reviewer.done("rejectDeployment", deploymentId=made["id"], reason=REASON, findings=[FINDING])
    rejected = people.dev.look(made["id"])
    assert (rejected["status"], rejected["review"]["comment"]) == ("REJECTED", REASON)
    assert rejected["review"]["findings"] == [FINDING]
    (told,) = [text for kind, text in people.dev.notified() if kind == "DEPLOYMENT_REJECTED"]
    assert REASON in told
    (entry,) = [each for each in trail(people, "DEPLOYMENT_REJECTED") if each["subject"]["id"] == made["id"]]
    assert (entry["reason"], entry["actor"]["email"]) == (REASON, people.reviewer.email)


def test_1_4_a_rollback_restores_within_a_minute_tells_workflows_and_is_audited(people: People) -> None:
    agent_id = people.dev.registered("four")
    people.dev.live(agent_id, "four", "1.0.0", people.reviewer)
    bad = people.dev.live(agent_id, "four", "2.0.0", people.reviewer)
    query = "subscription ($ids: [ID!]) { productionEvents(agentIds: $ids, after: 0) { kind version { version } } }"
    with people.dev.following(query, ids=[agent_id]) as events:
        assert [next(events)["productionEvents"]["kind"] for _ in range(2)] == ["VERSION_LIVE"] * 2
        reason = "Version 2 answers nonsense."
        begun = people.operator.done("rollbackDeployment", ROLLBACK, agentId=agent_id, reason=reason)["rollback"]
        told = [next(events)["productionEvents"] for _ in range(2)]
    assert [each["kind"] for each in told] == ["ROLLBACK_STARTED", "ROLLBACK_COMPLETED"]
    assert {each["version"]["version"] for each in told} == {"1.0.0"}
    query = f"query ($id: ID!) {{ deployment(id: $id) {{ status version {{ state }} {ROLLBACKS} }} }}"
    ended = people.operator.ask(query, id=bad["id"])["deployment"]
    assert (ended["status"], ended["version"]["state"]) == ("ROLLED_BACK", "QUARANTINED")
    (rollback,) = ended["rollbacks"]
    assert (rollback["id"], rollback["status"], rollback["reason"]) == (begun["id"], "SUCCEEDED", reason)
    assert rollback["durationMs"] < 60_000
    assert rollback["notifiedWorkflows"]
    assert people.dev.ask(VERSIONS, id=agent_id)["agent"]["productionVersion"] == {"version": "1.0.0"}
    on_record = trail(people, "ROLLBACK_STARTED", "ROLLBACK_COMPLETED", "HOLD_PLACED", "VERSION_QUARANTINED")
    assert {each["action"] for each in on_record} == {
        "ROLLBACK_STARTED",
        "ROLLBACK_COMPLETED",
        "HOLD_PLACED",
        "VERSION_QUARANTINED",
    }


def test_1_5_all_versions_are_listed_the_live_one_is_marked_and_any_can_be_chosen(people: People) -> None:
    agent_id = people.dev.registered("five")
    for version in ("1.0.0", "1.1.0", "1.2.0"):
        people.dev.live(agent_id, "five", version, people.reviewer)
    listed = people.dev.ask(VERSIONS, id=agent_id)["agent"]
    nodes = listed["versions"]["nodes"]
    assert [(each["version"], each["state"], each["isLive"]) for each in nodes] == [
        ("1.2.0", "LIVE", True),
        ("1.1.0", "STANDBY", False),
        ("1.0.0", "STANDBY", False),
    ]
    for each in nodes:
        assert each["submittedBy"]["email"] == people.dev.email
        assert each["package"]["manifest"]["version"] == each["version"]
        assert each["dataAccess"] == [{"resource": "tickets", "justification": "Reads tickets to sort them."}]
        assert moment(each["createdAt"]) <= moment(each["deployedAt"])
    assert {each["version"] for each in listed["rollbackTargets"]} == {"1.1.0", "1.0.0"}
    assert [(each["rollbackEligible"], each["ineligibleReason"]) for each in nodes] == [
        (False, "It is in production now."),
        (True, None),
        (True, None),
    ]
    begun = people.operator.done(
        "rollbackDeployment", ROLLBACK, agentId=agent_id, toVersionId=nodes[2]["id"], reason="The oldest did best."
    )["rollback"]
    assert begun["toVersion"] == {"version": "1.0.0"}


def test_1_6_deployments_proceed_independently_and_none_blocks_others(people: People) -> None:
    stuck = people.dev.registered("stuck")
    hanging = FILES | {"health.py": b"import time\nwhile True:\n    time.sleep(1)\n"}
    data = package(
        hanging, name="acme/stuck", health={"kind": "command", "command": ["python", "health.py"], "timeoutS": 30}
    )
    what = f"deployment {{ {DEPLOYMENT} }}"
    made = people.dev.done("submitDeployment", what, agentId=stuck, packageDigest=people.dev.upload(data))["deployment"]
    others = [waiting(people, f"six-{number}") for number in range(4)]
    made = people.dev.until(made["id"], "IN_REVIEW")
    approve(people.reviewer, made)
    for number, other in enumerate(others):
        approve((people.reviewer, people.second)[number % 2], other)
    for other in others:
        assert people.dev.until(other["id"], "LIVE")
    assert people.dev.look(made["id"])["status"] in {"APPROVED", "DEPLOYING"}


# Edge cases and constraints


def test_an_approval_comes_within_a_day_or_not_at_all(later: Any) -> None:
    people = later("PT0S")
    made = waiting(people, "late")
    people = later("PT25H")
    expired = people.dev.until(made["id"], "EXPIRED")
    assert expired["review"]["status"] == "EXPIRED"
    assert moment(expired["review"]["expiresAt"]) - moment(expired["review"]["queuedAt"]) == DAY
    digest = made["package"]["digest"]
    assert (
        people.reviewer.refused("approveDeployment", deploymentId=made["id"], reviewedDigest=digest) == "REVIEW_EXPIRED"
    )
    assert "REVIEW_EXPIRED" in [kind for kind, _ in people.dev.notified()]
    assert [each["subject"]["id"] for each in trail(people, "REVIEW_EXPIRED")] == [made["id"]]


def test_a_rollback_is_there_for_thirty_days(later: Any) -> None:
    people = later("PT0S")
    agent_id = people.dev.registered("old")
    people.dev.live(agent_id, "old", "1.0.0", people.reviewer)
    live = people.dev.live(agent_id, "old", "2.0.0", people.reviewer)
    assert moment(live["rollbackUntil"]) - moment(live["deployedAt"]) == 30 * DAY
    people = later("P30DT1H")
    given = {"agentId": agent_id, "reason": "Found out too late."}
    assert people.operator.refused("rollbackDeployment", ROLLBACK, **given) == "ROLLBACK_WINDOW_CLOSED"
    people = later("P29DT23H")
    people.operator.done("rollbackDeployment", ROLLBACK, **given)
    assert people.dev.until(live["id"], "ROLLED_BACK")["finishedAt"]


def test_ten_versions_of_an_agent_are_retained(people: People) -> None:
    agent_id = people.dev.registered("many")
    for number in range(11):
        people.dev.live(agent_id, "many", f"1.{number}.0", people.reviewer)
    nodes = people.dev.ask(VERSIONS, id=agent_id)["agent"]["versions"]["nodes"]
    states = {each["version"]: each["state"] for each in nodes}
    assert states["1.0.0"] == "PRUNED"
    assert sorted(states.values()).count("STANDBY") == 9
    assert states["1.10.0"] == "LIVE"


def test_the_review_cannot_be_bypassed(people: People) -> None:
    made = waiting(people, "safe")
    given = {"deploymentId": made["id"], "reviewedDigest": made["package"]["digest"]}
    for person in (people.dev, people.operator, people.admin, people.auditor):
        answer = person.answer(
            "mutation ($input: ApproveDeploymentInput!) { approveDeployment(input: $input) { deployment { id } } }",
            input=given,
        )
        assert [error["extensions"]["code"] for error in answer["errors"]] == ["FORBIDDEN"]
    other = {**given, "reviewedDigest": "0" * 64}
    assert people.reviewer.refused("approveDeployment", **other) == "DIGEST_MISMATCH"
    assert people.dev.look(made["id"])["status"] == "IN_REVIEW"


def test_nobody_reviews_their_own(api: Api, data_dir: Path, people: People) -> None:
    both = hired(api, data_dir, "gil", "DEVELOPER", "SECURITY_REVIEWER")
    made = both.submit(both.registered("own"), "own", "1.0.0")["deployment"]
    both.until(made["id"], "IN_REVIEW")
    again = hired(api, data_dir, "gil", "SECURITY_REVIEWER")
    for token in (both, again):
        given = {"deploymentId": made["id"], "reviewedDigest": made["package"]["digest"]}
        assert token.refused("approveDeployment", **given) == "SELF_REVIEW"
    approve(people.reviewer, made)
    assert both.until(made["id"], "LIVE")


# Acceptance criteria that no scenario has


def test_ac1_what_is_not_right_is_told_and_nobody_is_bothered(people: People) -> None:
    agent_id = people.dev.registered("broken")
    digest = people.dev.upload(package(name="acme/broken", version="1"))
    made = people.dev.done("submitDeployment", agentId=agent_id, packageDigest=digest)["deployment"]
    invalid = people.dev.until(made["id"], "INVALID")
    assert invalid["review"] is None
    assert all(check["remediation"] for check in invalid["package"]["checks"] if not check["passed"])
    assert "DEPLOYMENT_INVALID" in [kind for kind, _ in people.dev.notified()]


def test_ac5_the_audit_log_is_whole(people: People) -> None:
    assert people.auditor.ask("{ verifyAudit { valid } }")["verifyAudit"]["valid"]


def test_the_flag_stops_submissions_and_nothing_else(people: People) -> None:
    agent_id = people.dev.registered("flagged")
    people.dev.live(agent_id, "flagged", "1.0.0", people.reviewer)
    people.dev.live(agent_id, "flagged", "2.0.0", people.reviewer)
    flag = {"name": "enable-deployment-pipeline"}
    people.admin.done("setFeatureFlag", "flag { enabled }", **flag, enabled=False)
    try:
        digest = people.dev.upload(package(name="acme/flagged", version="3.0.0"))
        assert people.dev.refused("submitDeployment", agentId=agent_id, packageDigest=digest) == "FEATURE_DISABLED"
        given = {"agentId": agent_id, "reason": "Flag or no flag."}
        assert people.operator.done("rollbackDeployment", ROLLBACK, **given)["rollback"]["id"]
    finally:
        people.admin.done("setFeatureFlag", "flag { enabled }", **flag, enabled=True)
