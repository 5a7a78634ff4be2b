"""Specification "Agent Deployment Pipeline": its edge cases and constraints, and what no scenario has."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.packages.world import package
from tests.processes import Api
from tests.promises.pipeline import Person, hired
from tests.promises.pipeline_people import ROLLBACK, VERSIONS, People, approve, moment, people_of, trail, waiting

DAY = timedelta(days=1)
STEPS = (
    "DEPLOYMENT_SUBMITTED",
    "REVIEW_OPENED",
    "REVIEW_VOTED",
    "DEPLOYMENT_APPROVED",
    "DEPLOYMENT_STARTED",
    "DEPLOYMENT_COMPLETED",
)
"""What is on record of one that has gone all the way, in this order."""


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


# Edge cases and constraints


def test_an_approval_comes_within_a_day_or_not_at_all(later: Any) -> None:
    """Constraint: approval is required within 24 hours."""
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
    """Constraint: a rollback is available for 30 days."""
    people = later("PT0S")
    agent_id = people.dev.registered("old")
    people.dev.live(agent_id, "old", "1.0.0", people.reviewer)
    live = people.dev.live(agent_id, "old", "2.0.0", people.reviewer)
    kept = moment(live["rollbackUntil"]) - moment(live["deployedAt"])
    assert abs(kept - 30 * DAY) < timedelta(minutes=1)  # two statements, a moment apart
    people = later("P30DT1H")
    given = {"agentId": agent_id, "reason": "Found out too late."}
    assert people.operator.refused("rollbackDeployment", ROLLBACK, **given) == "ROLLBACK_WINDOW_CLOSED"
    people = later("P29DT23H")
    people.operator.done("rollbackDeployment", ROLLBACK, **given)
    assert people.dev.until(live["id"], "ROLLED_BACK")["finishedAt"]


def test_ten_versions_of_an_agent_are_retained(people: People) -> None:
    """Constraint: 10 versions are retained."""
    agent_id = people.dev.registered("many")
    for number in range(11):
        people.dev.live(agent_id, "many", f"1.{number}.0", people.reviewer)
    nodes = people.dev.ask(VERSIONS, id=agent_id)["agent"]["versions"]["nodes"]
    states = {each["version"]: each["state"] for each in nodes}
    assert states["1.0.0"] == "PRUNED"
    assert sorted(states.values()).count("STANDBY") == 9
    assert states["1.10.0"] == "LIVE"


def test_the_review_cannot_be_bypassed(people: People) -> None:
    """Constraint: the review cannot be bypassed, by no role and with no other bytes."""
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
    """Constraint: the review cannot be bypassed, by no second token either."""
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
    """AC1, and T01: validation."""
    agent_id = people.dev.registered("broken")
    digest = people.dev.upload(package(name="acme/broken", version="1"))
    made = people.dev.done("submitDeployment", agentId=agent_id, packageDigest=digest)["deployment"]
    invalid = people.dev.until(made["id"], "INVALID")
    assert invalid["review"] is None
    assert all(check["remediation"] for check in invalid["package"]["checks"] if not check["passed"])
    assert "DEPLOYMENT_INVALID" in [kind for kind, _ in people.dev.notified()]


def test_what_ran_the_very_package_is_shown_to_reviewers_and_nothing_else(people: People) -> None:
    agent_id = people.dev.registered("shown")
    digest = people.dev.upload(package(name="acme/shown", version="1.0.0"))
    asked = {"scenario": {"text": "Sort the tickets of a busy morning."}, "seed": 5, "waitFor": "FINISHED"}
    ran = people.dev.done("simulate", "simulation { id status }", **asked, packageDigest=digest)["simulation"]
    other = people.dev.done("simulate", "simulation { id status }", **asked)["simulation"]
    assert (ran["status"], other["status"]) == ("SUCCEEDED", "SUCCEEDED")
    given = {"agentId": agent_id, "packageDigest": digest}
    for bad in (other["id"], agent_id, "x"):
        assert people.dev.refused("submitDeployment", **given, evidenceIds=[ran["id"], bad]) == "BAD_USER_INPUT"
    made = people.dev.done("submitDeployment", **given, evidenceIds=[ran["id"]])["deployment"]
    (shown,) = people.dev.until(made["id"], "IN_REVIEW")["review"]["evidence"]
    assert (shown["subject"], shown["stale"]) == ({"id": ran["id"]}, False)
    assert shown["summary"].startswith("Simulated to its end with seed 5, ")


def test_ac5_the_audit_log_is_whole(people: People) -> None:
    """AC5: all deployments are fully logged, whatever became of them, and nobody can change what is."""
    made = waiting(people, "logged")
    approve(people.reviewer, made)
    people.dev.until(made["id"], "LIVE")
    query = "{ deployments(first: 100) { totalCount nodes { id status } } }"
    found = people.dev.ask(query)["deployments"]
    assert found["totalCount"] == len(found["nodes"])
    for each in found["nodes"]:
        query = "query ($id: ID!) { auditLog(first: 100, filter: {subjectId: $id}) { nodes { action } } }"
        nodes = people.auditor.ask(query, id=each["id"])["auditLog"]["nodes"]
        steps = [node["action"] for node in reversed(nodes) if node["action"] in STEPS]
        assert steps[:1] == ["DEPLOYMENT_SUBMITTED"]
        assert steps == (list(STEPS) if each["status"] in {"LIVE", "RETIRED"} else steps)
    assert people.auditor.ask("{ verifyAudit { valid } }")["verifyAudit"]["valid"]


def test_the_flag_stops_submissions_and_nothing_else(people: People) -> None:
    """T06: a flag for the rollout."""
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
