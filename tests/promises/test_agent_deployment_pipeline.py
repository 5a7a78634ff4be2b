"""Specification "Agent Deployment Pipeline", line by line: scenarios, edge cases, acceptance criteria."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.packages.world import FILES, package
from tests.processes import Api
from tests.promises.pipeline import DEPLOYMENT, FINDING, REASON
from tests.promises.pipeline_people import ROLLBACK, VERSIONS, People, approve, moment, people_of, trail, waiting

ROLLBACKS = ROLLBACK.replace("rollback {", "rollbacks {")


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


# User story 1: secure deployment process


def test_1_1_a_submission_enters_the_queue_with_an_expected_time_and_reviewers_are_notified(people: People) -> None:
    """Scenario 1.1, AC1: deployments are submitted and queued."""
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
    """Scenario 1.2, AC2, AC3: reviews end with an audit trail, and what is approved goes into production."""
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
    """Scenario 1.3, AC2: reviews end with an audit trail."""
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
    """Scenario 1.4, AC4: a rollback is over within 60 seconds."""
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
    """Scenario 1.5: version management."""
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
    """Scenario 1.6: concurrent deployments."""
    stuck = people.dev.registered("stuck")
    hanging = FILES | {"health.py": b"import threading\nthreading.Event().wait()\n"}
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
