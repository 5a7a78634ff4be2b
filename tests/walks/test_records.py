"""Every mutation that changes something puts it on record: what it must leave in the audit log is listed here."""

import re
from typing import Any

import orjson

from schema.ids import encode
from tests.graphql.world import conduct
from tests.queries import counted
from tests.walks import pipeline
from tests.walks.inputs import arguments, wants
from tests.walks.shape import root_entries
from tests.walks.things import make, make_all
from tests.walks.world import World, closing_store, naming_guarded, open_world
from windtunnel.domain.audit import AuditAction
from windtunnel.domain.deployments import DeploymentStatus
from windtunnel.domain.entities import Kind
from windtunnel.domain.opaque import read_opaque
from windtunnel.domain.packages import is_digest
from windtunnel.storage import audit
from windtunnel.storage.dialects import SQLITE, render
from windtunnel.storage.privileged import STATEMENTS
from windtunnel.storage.store import Store

UUID = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
RFC_3339 = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"

RECORDS: dict[str, list[AuditAction]] = {
    "simulate": [AuditAction.SCENARIO_CREATED, AuditAction.SIMULATION_STARTED],
    "cancelSimulation": [AuditAction.SIMULATION_CANCELLED],
    "deleteScenario": [AuditAction.SCENARIO_DELETED],
    "injectFailure": [AuditAction.FAILURE_INJECTED],
    "exportTelemetry": [AuditAction.TELEMETRY_EXPORTED],
    "defineArchitecture": [AuditAction.ARCHITECTURE_DEFINED],
    "runExperiment": [AuditAction.EXPERIMENT_RUN],
    "cancelExperiment": [AuditAction.EXPERIMENT_CANCELLED],
    "setFeatureFlag": [AuditAction.FLAG_CHANGED],
    "setMemberRoles": [AuditAction.MEMBER_ROLES_SET],
    "issueApiToken": [AuditAction.TOKEN_ISSUED],
    "revokeApiToken": [AuditAction.TOKEN_REVOKED],
    "registerWebhook": [AuditAction.WEBHOOK_REGISTERED],
    "deleteWebhook": [AuditAction.WEBHOOK_DELETED],
    "provisionEnvironment": [AuditAction.ENVIRONMENT_REQUESTED],
    "extendEnvironment": [AuditAction.ENVIRONMENT_EXTENDED],
    "pauseEnvironment": [AuditAction.ENVIRONMENT_PAUSED],
    "resumeEnvironment": [AuditAction.ENVIRONMENT_RESUMED],
    "refreshEnvironment": [AuditAction.ENVIRONMENT_REFRESHED],
    "deleteEnvironment": [AuditAction.ENVIRONMENT_DELETE_REQUESTED],
    "setMinimumIsolation": [AuditAction.MINIMUM_ISOLATION_SET],
    "configureProduction": [AuditAction.PRODUCTION_CONFIGURED],
    "registerAgent": [AuditAction.AGENT_REGISTERED],
    "submitDeployment": [AuditAction.DEPLOYMENT_SUBMITTED],
    "withdrawDeployment": [AuditAction.DEPLOYMENT_WITHDRAWN],
    "claimReview": [AuditAction.REVIEW_CLAIMED],
    "approveDeployment": [AuditAction.REVIEW_VOTED, AuditAction.DEPLOYMENT_APPROVED],
    "rejectDeployment": [AuditAction.REVIEW_VOTED, AuditAction.DEPLOYMENT_REJECTED],
    "retryDeployment": [AuditAction.DEPLOYMENT_RETRIED],
    "rollbackDeployment": [AuditAction.HOLD_PLACED, AuditAction.ROLLBACK_STARTED],
    "releaseHold": [AuditAction.HOLD_RELEASED],
    "releaseQuarantine": [AuditAction.VERSION_RELEASED],
    "markNotificationsRead": [],  # what somebody has read is theirs alone
}

BEFORE: dict[str, tuple[str, dict[str, Any]]] = {
    "resumeEnvironment": ("pauseEnvironment", {}),
    "refreshEnvironment": ("configureProduction", {"set": [{"key": "OTHER", "value": "1"}]}),
}
"""What has to be done first, for there to be anything to change."""


async def _failed(world: World) -> dict[Kind, str]:
    made = await pipeline.in_status(world.services, world.mine, DeploymentStatus.DEPLOY_FAILED)
    return {Kind.DEPLOYMENT: encode(Kind.DEPLOYMENT, made.id)}


async def _held(world: World) -> dict[Kind, str]:
    made = await pipeline.in_status(world.services, world.mine, DeploymentStatus.HELD)
    return {Kind.AGENT: encode(Kind.AGENT, made.agent_id)}


async def _over(world: World) -> dict[Kind, str]:
    made = await make(world, world.mine, Kind.SIMULATION)
    await conduct(world.services)
    return {Kind.SIMULATION: made}


INSTEAD = {"retryDeployment": _failed, "releaseHold": _held, "exportTelemetry": _over}
"""What to do it to, where it is not what `things` makes."""


async def test_what_changes_something_is_on_record(store: Store) -> None:
    async with open_world(store) as world:
        await make_all(world, world.mine)
        faults = []
        for entry in root_entries():
            if entry.operation != "mutation":
                continue
            assert entry.name in RECORDS, f"add {entry.name} to RECORDS of tests/walks/test_records.py"
            if entry.name in INSTEAD:
                own = await INSTEAD[entry.name](world)
            else:
                own = {kind: await make(world, world.mine, kind) for kind in wants(entry)}
            if entry.name in BEFORE:
                first, given = BEFORE[entry.name]
                await world.do(first, world.mine, own, **given)
            before, logged = await world.snapshot(world.mine), await world.logged(world.mine)
            await world.do(entry.name, world.mine, own)
            new = await world.log(world.mine, logged)
            if new != [action.value for action in RECORDS[entry.name]]:
                faults.append(f"{entry}: {new}")
            if await world.snapshot(world.mine) == before:
                faults.append(f"{entry}: changed nothing, so that nothing is proved")
        assert faults == []
        entries = await audit.read(store, world.mine.tenant_id, 0, 1_000)
        raw = {entry.subject_id for entry in entries if not is_digest(entry.subject_id)} | {
            world.mine.user.id,
            world.mine.tenant_id,
        }
        assert [entry.details for entry in entries if not _well_spelt(orjson.loads(entry.details), raw)] == []


def _well_spelt(details: object, raw_ids: set[str]) -> bool:
    """As in the GraphQL schema: camelCase keys, global ids, times in UTC with milliseconds."""
    if isinstance(details, dict):
        spelt = all(re.fullmatch("[a-z][A-Za-z0-9]*", key) for key in details)
        timed = all(re.fullmatch(RFC_3339, value) for key, value in details.items() if key.endswith("At") and value)
        named = all(read_opaque(value) for key, value in details.items() if key.endswith("Id") and value)
        return spelt and timed and named and all(_well_spelt(value, raw_ids) for value in details.values())
    if isinstance(details, list):
        return all(_well_spelt(each, raw_ids) for each in details)
    return details not in raw_ids and not re.fullmatch(UUID, str(details))


def test_only_verbs_that_exist_are_listed() -> None:
    assert {entry.name for entry in root_entries() if entry.operation == "mutation"} == RECORDS.keys()


async def test_every_statement_names_the_tenant(sqlite_url: str) -> None:
    """SQLite does not guard rows: there, what is not asked for by tenant would be everybody's."""
    privileged = {render(statement.sql, SQLITE, 0) for statement in STATEMENTS}
    scoped = re.compile(r'^INSERT INTO "?\w+"? \([^)]*\btenant_id\b|\btenant_id"? (=|IS) ')
    async with closing_store(sqlite_url) as store, open_world(store) as world:
        guarded = await naming_guarded(store)
        with counted(store) as statements:
            own = await make_all(world, world.mine)
            for entry in root_entries():
                await world.ask(entry, arguments(entry, own.__getitem__), world.mine, levels=4)
        asked = [sql for sql in dict.fromkeys(statements) if guarded.search(sql) and sql not in privileged]
        assert len(asked) > 20
        assert [sql for sql in asked if not scoped.search(sql)] == []
