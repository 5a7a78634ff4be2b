"""Configuring production: as one, on record, never twice, and secrets stay what they are."""

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest

from tests.operations.world import demo, process
from tests.queries import counted
from tests.storage.worlds import colleague, stranger
from windtunnel.domain.audit import AuditAction, AuditEntry
from windtunnel.domain.configuring import EntryRequest
from windtunnel.domain.entities import Kind, Subject
from windtunnel.domain.errors import ConflictError, ErrorCode, ForbiddenError, QuotaError, ValidationError
from windtunnel.domain.production import Entry, Snapshot, drift, place_of_secret
from windtunnel.domain.viewers import Role, Viewer
from windtunnel.operations.configure_production import configure_production
from windtunnel.operations.services import Services
from windtunnel.storage import audit, production
from windtunnel.vault.sealing import KEY_BYTES, Vault

HUNTER = "hunter2 - the secret"
OLD_KEY, NEW_KEY = b"o" * KEY_BYTES, b"n" * KEY_BYTES


def entry(key: str, value: str, secret: bool | None = None) -> EntryRequest:
    return EntryRequest(key, value, secret)


async def log(services: Services, viewer: Viewer) -> list[AuditEntry]:
    return list(await audit.read(services.store, viewer.tenant_id, 0, 1_000))


async def row(services: Services, viewer: Viewer, key: str) -> dict[str, Any]:
    (found,) = await services.store.of(viewer.tenant_id).fetch(
        "SELECT * FROM production_entries WHERE tenant_id = $1 AND key = $2", viewer.tenant_id, key
    )
    return found


async def test_entries_are_set_and_unset_and_on_record(database_url: str) -> None:
    async with process(database_url) as one:
        viewer = replace(await demo(one), request_id="r-1")
        first = await configure_production(one, viewer, [entry("MODEL", "a"), entry("REGION", "eu"), entry("Z", "")])
        assert first == Snapshot.of(1, [Entry("MODEL", "a"), Entry("REGION", "eu"), Entry("Z", "")])
        second = await configure_production(one, viewer, [entry("MODEL", "b")], ["REGION", "NEVER_THERE"])
        assert second == Snapshot.of(2, [Entry("MODEL", "b"), Entry("Z", "")])
        assert await production.snapshot(one.store, viewer.tenant_id) == second
        _, recorded = await log(one, viewer)
        assert (recorded.action, recorded.subject) == (
            AuditAction.PRODUCTION_CONFIGURED,
            Subject(Kind.TENANT, viewer.tenant_id),
        )
        assert (recorded.actor_id, recorded.request_id) == (viewer.user.id, "r-1")
        assert json.loads(recorded.details) == {
            "revision": 2,
            "set": ["MODEL"],
            "unset": ["REGION"],
            "from": [
                {"key": "MODEL", "secret": False, "value": "a"},
                {"key": "REGION", "secret": False, "value": "eu"},
            ],
            "to": [{"key": "MODEL", "secret": False, "value": "b"}],
        }


async def test_what_is_so_already_changes_nothing(database_url: str) -> None:
    async with process(database_url) as one:
        viewer = await demo(one)
        wanted = [entry("MODEL", "a"), entry("API_KEY", HUNTER, secret=True)]
        made = await configure_production(one, viewer, wanted)
        before = await row(one, viewer, "API_KEY")
        for again in (wanted, [entry("API_KEY", HUNTER)], []):
            assert await configure_production(one, viewer, again, ["NOTHING"]) == made
        assert (await production.snapshot(one.store, viewer.tenant_id)).revision == 1
        assert await row(one, viewer, "API_KEY") == before
        assert len(await log(one, viewer)) == 1


async def test_before_the_first_change_nothing_is_unset(database_url: str) -> None:
    async with process(database_url) as one:
        viewer = await demo(one)
        assert await configure_production(one, viewer, [], ["A"]) == Snapshot.of(0, ())
        assert await log(one, viewer) == []


async def test_a_secret_is_sealed_for_its_place(database_url: str) -> None:
    async with process(database_url) as one:
        viewer, other = await demo(one), await stranger(one.store)
        for who in (viewer, other):
            made = await configure_production(
                one, who, [entry("A", HUNTER, secret=True), entry("B", HUNTER, secret=True)]
            )
        assert [each.value for each in made.entries] == [None, None]
        found = [await row(one, who, key) for who in (viewer, other) for key in ("A", "B")]
        assert len({each["fingerprint"] for each in found}) == 4  # nobody sees that they are the same
        for each in found:
            place = place_of_secret(each["tenant_id"], each["key"])
            assert one.vault.unseal(each["sealed_value"], place) == HUNTER
            assert each["value"] is None


async def test_a_secret_stays_a_secret_unless_said_otherwise(database_url: str) -> None:
    async with process(database_url) as one:
        viewer = await demo(one)
        first = await configure_production(one, viewer, [entry("API_KEY", HUNTER, secret=True)])
        second = await configure_production(one, viewer, [entry("API_KEY", "another")])
        assert [each.secret for each in second.entries] == [True]
        assert [(each.production, each.environment) for each in drift(first, second)] == [("secret, changed", "secret")]
        back = await configure_production(one, viewer, [entry("API_KEY", HUNTER)])
        assert (back.revision, back.digest) == (3, first.digest)
        clear = await configure_production(one, viewer, [entry("API_KEY", "public", secret=False)])
        assert clear.entries == (Entry("API_KEY", "public"),)
        assert json.loads((await log(one, viewer))[-1].details)["from"] == [{"key": "API_KEY", "secret": True}]


async def test_the_value_of_a_secret_is_never_in_clear(database_url: str) -> None:
    async with process(database_url) as one:
        viewer = await demo(one)
        made = await configure_production(one, viewer, [entry("API_KEY", HUNTER, secret=True)])
        with pytest.raises(ValidationError) as refused:
            await configure_production(one, viewer, [entry("MODEL", "a"), entry("API_KEY", HUNTER, secret=False)])
        assert (refused.value.rule, refused.value.path) == ("secret_value", ("input", "set"))
        assert HUNTER not in refused.value.message
        assert await production.snapshot(one.store, viewer.tenant_id) == made
        assert len(await log(one, viewer)) == 1


async def test_a_guess_that_fails_for_another_reason_tells_nothing(database_url: str) -> None:
    async with process(database_url) as one:
        viewer = await demo(one)
        await configure_production(one, viewer, [entry("A", HUNTER, secret=True), entry("B", "mine", secret=True)])
        answers = []
        for guess in (HUNTER, "wrong"):
            for others in ([entry("B", "mine", secret=False)], [entry(f"K{number}", "") for number in range(499)]):
                with pytest.raises((ValidationError, QuotaError)) as refused:
                    await configure_production(one, viewer, [entry("A", guess, secret=False), *others])
                answers.append((type(refused.value), refused.value.message, refused.value.path))
        assert answers[:2] == answers[2:]


async def test_what_was_in_clear_can_become_a_secret(database_url: str) -> None:
    async with process(database_url) as one:
        viewer = await demo(one)
        before = await configure_production(one, viewer, [entry("API_KEY", HUNTER)])
        made = await configure_production(one, viewer, [entry("API_KEY", HUNTER, secret=True)])
        assert [(each.secret, each.value) for each in made.entries] == [(True, None)]
        assert [(each.production, each.environment) for each in drift(before, made)] == [("secret", "in clear")]
        assert HUNTER not in (await log(one, viewer))[-1].details


async def test_after_a_rotation_secrets_are_still_known(database_url: str) -> None:
    async with process(database_url, vault=Vault([OLD_KEY])) as one:
        viewer = await demo(one)
        made = await configure_production(one, viewer, [entry("API_KEY", HUNTER, secret=True)])
    async with process(database_url, vault=Vault([NEW_KEY, OLD_KEY])) as two:
        assert await configure_production(two, viewer, [entry("API_KEY", HUNTER)]) == made
        with pytest.raises(ValidationError):
            await configure_production(two, viewer, [entry("API_KEY", HUNTER, secret=False)])
        assert (await configure_production(two, viewer, [entry("API_KEY", "another")])).revision == 2


async def test_bad_input_changes_nothing(database_url: str) -> None:
    async with process(database_url) as one:
        viewer = await demo(one)
        for wanted, unset in (
            ([entry("ok", "1"), entry("not ok", "1")], []),
            ([entry("A", "1"), entry("A", "2")], []),
            ([entry("A", "1")], ["A"]),
            ([entry("A", "\0")], []),
        ):
            with pytest.raises(ValidationError):
                await configure_production(one, viewer, wanted, unset, idempotency_key="k")
        assert await production.snapshot(one.store, viewer.tenant_id) == Snapshot.of(0, ())
        assert await log(one, viewer) == []
        assert (await configure_production(one, viewer, [entry("A", "1")], idempotency_key="k")).revision == 1


async def test_a_tenant_has_at_most_500_entries(sqlite_url: str) -> None:
    async with process(sqlite_url) as one:
        viewer, other = await demo(one), await stranger(one.store)
        full = await configure_production(one, viewer, [entry(f"K{number}", "") for number in range(500)])
        with pytest.raises(QuotaError) as refused:
            await configure_production(one, viewer, [entry("One_more", "")])
        assert (refused.value.limit, refused.value.used) == (500, 500)
        assert await production.snapshot(one.store, viewer.tenant_id) == full
        assert len((await configure_production(one, viewer, [entry("One_more", "")], ["K0"])).entries) == 500
        assert len((await configure_production(one, other, [entry("Mine", "")])).entries) == 1


async def test_the_same_key_changes_nothing_twice(database_url: str) -> None:
    async with process(database_url) as one:
        viewer = await demo(one)
        wanted = [entry("MODEL", "a"), entry("API_KEY", HUNTER, secret=True)]
        await configure_production(one, viewer, wanted, ["B", "C"], idempotency_key="k")
        changed = await configure_production(one, viewer, [entry("MODEL", "b")])
        again = await configure_production(one, viewer, wanted[::-1], ["C", "B", "C"], idempotency_key="k")
        assert again == changed
        assert len(await log(one, viewer)) == 2
        for other in ([*wanted[:1], entry("API_KEY", "x", secret=True)], [*wanted[:1], entry("API_KEY", HUNTER)], []):
            with pytest.raises(ConflictError) as refused:
                await configure_production(one, viewer, other, ["B", "C"], idempotency_key="k")
            assert refused.value.code is ErrorCode.IDEMPOTENCY_MISMATCH


async def test_only_operators_and_admins_may_and_every_attempt_is_recorded(database_url: str) -> None:
    async with process(database_url) as one:
        viewer = await demo(one)
        for role in Role:
            someone = replace(viewer, roles=frozenset({role}))
            if role in {Role.OPERATOR, Role.ADMIN}:
                await configure_production(one, someone, [entry(role.value, "x")])
                continue
            with pytest.raises(ForbiddenError):
                await configure_production(one, someone, [entry("not even a key", HUNTER)])
        actions = [each.action for each in await log(one, viewer)]
        assert sorted(actions) == [AuditAction.ACCESS_DENIED] * 3 + [AuditAction.PRODUCTION_CONFIGURED] * 2
        assert HUNTER not in repr(await log(one, viewer))


async def test_two_who_configure_at_once_lose_nothing_of_each_other(database_url: str) -> None:
    async with process(database_url) as one, process(database_url, owner="two") as two:
        viewer = await demo(one)
        other = await colleague(one.store, viewer)
        people = ((one, viewer), (two, other))
        await asyncio.gather(
            *(
                configure_production(
                    services, who, [entry(f"{name}_{number}", "x"), entry("SHARED", f"{name}{number}")]
                )
                for name, (services, who) in zip("ab", people, strict=True)
                for number in range(6)
            )
        )
        found = await production.snapshot(one.store, viewer.tenant_id)
        assert found.revision == 12
        assert {each.key for each in found.entries} == {"SHARED", *(f"{n}_{i}" for n in "ab" for i in range(6))}
        details = [json.loads(each.details) for each in await log(one, viewer)]
        assert [each["revision"] for each in details] == [*range(1, 13)]
        befores = [next((old for old in each["from"] if old["key"] == "SHARED"), None) for each in details]
        afters = [next(new for new in each["to"] if new["key"] == "SHARED") for each in details]
        assert befores == [None, *afters[:-1]]
        assert found.by_key["SHARED"].value == afters[-1]["value"]


async def test_many_entries_cost_no_more_statements(database_url: str) -> None:
    async with process(database_url) as one:
        viewer = await demo(one)
        costs = []
        for count in (2, 200):
            wanted = [entry(f"K{count}_{number}", "x", secret=bool(number % 2)) for number in range(count)]
            with counted(one.store) as statements:
                await configure_production(one, viewer, wanted)
            costs.append(len(statements))
        assert costs[0] == costs[1] <= 8, statements
        with counted(one.store) as statements:
            assert len((await production.snapshot(one.store, viewer.tenant_id)).entries) == 202
        assert len(statements) == 1
