"""Specification "Simulation Environment Provisioning", line by line: scenarios, edge cases, acceptance criteria."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.processes import Api
from tests.promises.environments import ask, asked_for, deleted, do, look, provisioned, until
from windtunnel.domain.durations import parse_duration

SIMULATE = """mutation ($input: SimulateInput!) { simulate(input: $input) {
  simulation { id status } errors { code message } } }"""
TEXT = "A clerk reads incoming invoices, another one matches them with orders, and an accountant releases the payment."


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("environments")


@pytest.fixture(scope="module")
def api(data_dir: Path) -> Iterator[Api]:
    with Api({"WINDTUNNEL_DATA_DIR": str(data_dir)}) as process:
        yield process


def simulate(api: Api, **given: Any) -> Any:
    return ask(api, SIMULATE, input={"scenario": {"text": TEXT}, "seed": 5, "waitFor": "FINISHED", **given})["simulate"]


def configure(api: Api, *entries: dict[str, Any], unset: tuple[str, ...] = ()) -> None:
    query = "mutation ($input: ConfigureProductionInput!) { configureProduction(input: $input) { errors { message } } }"
    assert ask(api, query, input={"set": list(entries), "unset": list(unset)})["configureProduction"]["errors"] == []


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


# User story 1: test environment setup


def test_1_1_an_environment_is_ready_in_less_than_five_minutes(api: Api) -> None:
    environment = provisioned(api)
    assert parse_duration(environment["provisioningTime"]) < timedelta(minutes=5)
    assert {resource["status"] for resource in environment["resources"]} == {"CREATED"}
    deleted(api, environment["id"])


def test_1_1_it_is_isolated_from_production(api: Api) -> None:
    environment = provisioned(api)
    isolation = environment["isolation"]
    assert len(isolation["probes"]) == 12
    assert {probe["outcome"] for probe in isolation["probes"]} <= {"DENIED", "NOT_ENFORCED"}
    if isolation["level"] == "FULL":
        assert {probe["outcome"] for probe in isolation["probes"]} == {"DENIED"}
    before = ask(api, "{ simulations { totalCount } scenarios { totalCount } }")
    inside = simulate(api, environmentId=environment["id"])
    assert inside["errors"] == []
    assert inside["simulation"]["status"] == "SUCCEEDED"
    assert ask(api, "{ simulations { totalCount } scenarios { totalCount } }") == before
    query = "query ($id: ID!) { environment(id: $id) { simulations { nodes { id environment { id } } } } }"
    found = ask(api, query, id=environment["id"])["environment"]["simulations"]["nodes"]
    assert found == [{"id": inside["simulation"]["id"], "environment": {"id": environment["id"]}}]
    deleted(api, environment["id"])


def test_1_1_its_configuration_matches_productions_and_says_when_it_no_longer_does(api: Api) -> None:
    configure(api, {"key": "MODEL", "value": "small"}, {"key": "TOKEN", "value": "t0ps3cret-value", "secret": True})
    environment = provisioned(api)
    assert environment["configuration"]["matchesProduction"]
    assert environment["configuration"]["drift"] == []
    configure(api, {"key": "MODEL", "value": "large"}, {"key": "TOKEN", "value": "an0ther-s3cret", "secret": True})
    configuration = look(api, environment["id"])["configuration"]
    assert not configuration["matchesProduction"]
    drift = {each["key"]: (each["environment"], each["production"]) for each in configuration["drift"]}
    assert drift["MODEL"] == ("small", "large")
    assert "s3cret" not in str(drift["TOKEN"])
    refreshed = do(api, "refreshEnvironment", environmentId=environment["id"])["environment"]
    assert refreshed["configuration"]["matchesProduction"]
    configure(api, unset=("MODEL", "TOKEN"))
    deleted(api, environment["id"])


def test_1_2_deleting_removes_everything_and_proves_it(api: Api, data_dir: Path) -> None:
    environment = provisioned(api)
    namespace = environment["isolation"]["namespace"]
    assert simulate(api, environmentId=environment["id"])["errors"] == []
    assert list(data_dir.rglob(f"*{namespace}*"))
    gone = deleted(api, environment["id"])
    cleanup = gone["cleanup"]
    assert cleanup["complete"]
    assert cleanup["remaining"] == []
    assert cleanup["digest"]
    assert {resource["key"] for resource in cleanup["removed"]} == {each["key"] for each in environment["resources"]}
    assert all(resource["status"] == "REMOVED" for resource in cleanup["removed"])
    assert list(data_dir.rglob(f"*{namespace}*")) == []
    action = "{ auditLog(first: 1, filter: {actions: [ENVIRONMENT_DELETED]}) { nodes { details } } }"
    assert cleanup["digest"] in str(ask(api, action)["auditLog"]["nodes"])


# Edge cases and constraints


def test_an_environment_lives_seven_days_at_most(api: Api) -> None:
    refused = do(api, "provisionEnvironment", name="too long", lifetime="P7DT1S")
    assert [error["code"] for error in refused["errors"]] == ["BAD_USER_INPUT"]
    environment = asked_for(api, lifetime="P7D")
    assert moment(environment["expiresAt"]) - moment(environment["createdAt"]) == timedelta(days=7)
    until(api, environment["id"], "READY")
    refused = do(api, "extendEnvironment", environmentId=environment["id"], lifetime="P7D")
    assert [error["code"] for error in refused["errors"]] == ["BAD_USER_INPUT"]
    assert look(api, environment["id"])["expiresAt"] == environment["expiresAt"]
    deleted(api, environment["id"])


def test_a_tenant_has_ten_environments_at_most_and_all_of_them_at_once(api: Api) -> None:
    ids = [asked_for(api, name=f"number {number}")["id"] for number in range(10)]
    for environment_id in ids:
        until(api, environment_id, "READY")
    refused = do(api, "provisionEnvironment", name="one more")
    assert [error["code"] for error in refused["errors"]] == ["QUOTA_EXCEEDED"]
    deleted(api, ids.pop())
    ids.append(asked_for(api, name="in its place")["id"])
    quota = ask(api, "{ viewer { quotas { environments { limit used } } } }")["viewer"]["quotas"]["environments"]
    assert quota == {"limit": 10, "used": 10}
    for environment_id in ids:
        deleted(api, environment_id)


def test_limits_are_what_was_asked_for_within_bounds(api: Api) -> None:
    limits = {"cpu": 0.5, "memoryMb": 128, "storageMb": 32, "maxSimulations": 2}
    environment = provisioned(api, limits=limits)
    assert environment["limits"] == limits
    deleted(api, environment["id"])
    refused = do(api, "provisionEnvironment", name="too much", limits={"memoryMb": 10_000_000})
    assert [error["code"] for error in refused["errors"]] == ["BAD_USER_INPUT"]


def test_the_flag_stops_creation_only(api: Api) -> None:
    flag = """mutation ($on: Boolean!) { setFeatureFlag(input: {name: "enable-simulation-environments", enabled: $on})
      { errors { message } } }"""
    environment = provisioned(api)
    ask(api, flag, on=False)
    try:
        refused = do(api, "provisionEnvironment", name="not now")
        assert [error["code"] for error in refused["errors"]] == ["FEATURE_DISABLED"]
        assert do(api, "pauseEnvironment", environmentId=environment["id"])["environment"]["status"] == "PAUSED"
        assert do(api, "resumeEnvironment", environmentId=environment["id"])["environment"]["status"] == "READY"
        assert do(api, "extendEnvironment", environmentId=environment["id"], lifetime="P2D")["errors"] == []
        deleted(api, environment["id"])
    finally:
        ask(api, flag, on=True)


# Acceptance criteria


def test_ac3_what_nobody_deletes_is_gone_when_its_time_is_over(tmp_path: Path) -> None:
    settings = {"WINDTUNNEL_DATA_DIR": str(tmp_path), "WINDTUNNEL_TEST_CLOCK": "1"}
    with Api(settings) as api:
        environment = provisioned(api, lifetime="P7D")
        assert simulate(api, environmentId=environment["id"])["errors"] == []
    with Api({**settings, "WINDTUNNEL_CLOCK_OFFSET": "P7DT1S"}) as api:
        gone = until(api, environment["id"], "DELETED")
        assert gone["cleanup"]["complete"]
        assert list(tmp_path.rglob(f"*{environment['isolation']['namespace']}*")) == []
        late = simulate(api, environmentId=environment["id"])
        assert [error["code"] for error in late["errors"]] == ["ENVIRONMENT_EXPIRED"]
        late = do(api, "extendEnvironment", environmentId=environment["id"], lifetime="P1D")
        assert [error["code"] for error in late["errors"]] == ["ENVIRONMENT_EXPIRED"]
        told = ask(api, "{ notifications(first: 20) { nodes { kind } } }")["notifications"]["nodes"]
        assert "ENVIRONMENT_EXPIRED" in {each["kind"] for each in told}
