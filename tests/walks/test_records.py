"""Every mutation that changes something puts it on record: what it must leave in the audit log is listed here."""

from tests.walks.inputs import wants
from tests.walks.shape import root_entries
from tests.walks.things import make, make_all
from tests.walks.world import open_world
from windtunnel.domain.audit import AuditAction
from windtunnel.storage.store import Store

RECORDS: dict[str, list[AuditAction]] = {
    "simulate": [AuditAction.SCENARIO_CREATED, AuditAction.SIMULATION_STARTED],
    "cancelSimulation": [AuditAction.SIMULATION_CANCELLED],
    "deleteScenario": [AuditAction.SCENARIO_DELETED],
    "injectFailure": [AuditAction.FAILURE_INJECTED],
    "setFeatureFlag": [AuditAction.FLAG_CHANGED],
    "setMemberRoles": [AuditAction.MEMBER_ROLES_SET],
    "issueApiToken": [AuditAction.TOKEN_ISSUED],
    "revokeApiToken": [AuditAction.TOKEN_REVOKED],
    "registerWebhook": [AuditAction.WEBHOOK_REGISTERED],
    "deleteWebhook": [AuditAction.WEBHOOK_DELETED],
    "markNotificationsRead": [],  # what somebody has read is theirs alone
}


async def test_what_changes_something_is_on_record(store: Store) -> None:
    async with open_world(store) as world:
        await make_all(world, world.mine)
        faults = []
        for entry in root_entries():
            if entry.operation != "mutation":
                continue
            assert entry.name in RECORDS, f"add {entry.name} to RECORDS of tests/walks/test_records.py"
            own = {kind: await make(world, world.mine, kind) for kind in wants(entry)}
            before, log = await world.snapshot(world.mine), await world.log(world.mine)
            await world.do(entry.name, world.mine, own)
            new = (await world.log(world.mine))[len(log) :]
            if new != [action.value for action in RECORDS[entry.name]]:
                faults.append(f"{entry}: {new}")
            if await world.snapshot(world.mine) == before:
                faults.append(f"{entry}: changed nothing, so that nothing is proved")
        assert faults == []


def test_only_verbs_that_exist_are_listed() -> None:
    assert {entry.name for entry in root_entries() if entry.operation == "mutation"} == RECORDS.keys()
