"""Rollbacks that meet deployments, pruning and each other, by two API processes and two workers: one outcome each."""

import asyncio
from typing import Any

from tests.cluster.attempts import Attempt, People, Person, approval, counted
from tests.cluster.pipeline import Cluster, Servers

MOMENTS = [
    *["approve", "approved", "deploying", "approval", "starting", "healthy", "live"],
    *["approve", "starting", "healthy"],
]
"""What a rollback is asked for together with, or right after which step of a deployment."""
REASON = "It answers nonsense since noon."
AGENT = """query ($id: ID!) { agent(by: {id: $id}) { productionVersion { version }
  versions(first: 50) { nodes { id version state isLive } } rollbackTargets { id version }
  deployments(first: 50) { nodes { id status version { version } } } } }"""
ROLLBACK = """query ($id: ID!) { node(id: $id) { ... on Rollback {
  status durationMs fromVersion { version } toVersion { version } } } }"""


async def waiting(cluster: Cluster, people: People, slug: str, versions: int) -> tuple[str, list[Any]]:
    """An agent, and so many deployments of it that wait for a reviewer, in the order of their versions."""
    agent_id = await cluster.registered(people.dev, slug)

    async def submitted(number: int) -> Any:
        digest = await cluster.uploaded(people.dev, slug, f"{number + 1}.0.0")
        made = await cluster.done(people.dev, "submitDeployment", agentId=agent_id, packageDigest=digest)
        return await cluster.until(people.dev, made["deployment"]["id"], "IN_REVIEW")

    return agent_id, await asyncio.gather(*(submitted(number) for number in range(versions)))


async def go_live(cluster: Cluster, people: People, made: list[Any]) -> None:
    """One after the other."""
    for each in made:
        got, _ = await cluster.race(approval(people.reviewers[0], each))
        assert [deployment["status"] for deployment in got] == ["APPROVED"]
        await cluster.until(people.dev, each["id"], "LIVE")


async def begun(cluster: Cluster, people: People, made: Any, moment: str) -> None:
    """It is approved, and has got so far."""
    await cluster.race(approval(people.reviewers[0], made))
    await cluster.reached(people.dev, made["id"], moment)


def twice(who: Person, given: dict[str, Any]) -> list[Attempt]:
    """By a client that tries again."""
    return [Attempt(who, "rollbackDeployment", given)] * 2


async def states(cluster: Cluster, people: People, agent_id: str) -> tuple[str, dict[str, str], dict[str, str]]:
    """The version in production; the state of every version; the status of the deployment of every version."""
    agent = (await cluster.ask(people.dev, AGENT, id=agent_id))["agent"]
    (live,) = [each["version"] for each in agent["versions"]["nodes"] if each["isLive"]]
    found = {each["version"]: each["state"] for each in agent["versions"]["nodes"]}
    assert [version for version, state in found.items() if state == "LIVE"] == [live]
    assert agent["productionVersion"] == {"version": live}
    deployed = {each["version"]["version"]: each["status"] for each in agent["deployments"]["nodes"]}
    assert [version for version, status in deployed.items() if status == "LIVE"] == [live]
    return live, found, deployed


async def targets(cluster: Cluster, people: People, agent_id: str) -> list[Any]:
    """What a rollback can restore, what was in production last first."""
    found: list[Any] = (await cluster.ask(people.dev, AGENT, id=agent_id))["agent"]["rollbackTargets"]
    return found


async def over(cluster: Cluster, people: People, rollback: Any) -> Any:
    """The rollback, once it has succeeded."""
    await cluster.until(people.dev, rollback["deployment"]["id"], "ROLLED_BACK")
    found = (await cluster.ask(people.dev, ROLLBACK, id=rollback["id"]))["node"]
    assert found["status"] == "SUCCEEDED"
    assert found["durationMs"] < 60_000
    actions = await cluster.on_record(people.auditor, rollback["id"])
    assert counted(actions, "ROLLBACK_STARTED", "ROLLBACK_COMPLETED", "ROLLBACK_FAILED") == [1, 1, 0]
    return found


async def test_a_rollback_meets_a_deployment(servers: Servers, people: People) -> None:
    async with servers.asked(people.auditor) as cluster:
        ready = await asyncio.gather(
            *(waiting(cluster, people, f"meets-{number}", 3) for number in range(len(MOMENTS)))
        )
        await asyncio.gather(*(go_live(cluster, people, made[:2]) for _, made in ready))
        seen = set()
        for number, (moment, (agent_id, made)) in enumerate(zip(MOMENTS, ready, strict=True)):
            key = f"{moment} {number}"
            back = twice(people.operators[0], {"agentId": agent_id, "reason": REASON, "idempotencyKey": key})
            if moment == "approve":
                got, codes = await cluster.race(approval(people.reviewers[0], made[2]), *back)
            else:
                await begun(cluster, people, made[2], moment)
                got, codes = await cluster.race(*back)
            rollbacks = {each["id"]: each for each in got if "toVersion" in each}
            assert (len(rollbacks), codes) == (1, [])
            (rollback,) = rollbacks.values()
            done = await over(cluster, people, rollback)
            live, _, deployed = await states(cluster, people, agent_id)
            held = deployed["3.0.0"] == "HELD"
            assert (done["fromVersion"]["version"], live) == (("2.0.0", "1.0.0") if held else ("3.0.0", "2.0.0"))
            assert deployed["3.0.0"] == ("HELD" if held else "ROLLED_BACK")
            actions = await cluster.on_record(people.auditor, made[2]["id"])
            assert counted(actions, "DEPLOYMENT_HELD", "DEPLOYMENT_COMPLETED") == ([1, 0] if held else [0, 1])
            seen.add(held)
        assert seen == {True, False}


async def test_of_two_rollbacks_one_is_done(servers: Servers, people: People) -> None:
    async with servers.asked(people.auditor) as cluster:
        agents = [await waiting(cluster, people, f"two-{number}", 5) for number in range(3)]
        await asyncio.gather(*(go_live(cluster, people, made) for _, made in agents))
        one, two = people.operators
        alone = 0
        for number, agent_id in enumerate([agent_id for agent_id, _ in agents] * 4):
            if not (there := await targets(cluster, people, agent_id)):
                continue
            asked = {"agentId": agent_id, "reason": REASON}
            oldest = asked | {"toVersionId": there[-1]["id"]}
            got, codes = await cluster.race(
                *(Attempt(who, "rollbackDeployment", given) for who, given in ((one, asked), (two, oldest)) * 3),
                first=number,
            )
            rollbacks = {each["id"]: each for each in got}
            done = [await over(cluster, people, each) for each in rollbacks.values()]
            # A late one may find that the first is over: that they do not overlap, `Servers.asked` looks at.
            alone += len(done) == 1
            assert set(codes) <= ({"CONFLICT"} if len(done) == 1 else {"CONFLICT", "ROLLBACK_INELIGIBLE"})
            live, _, _ = await states(cluster, people, agent_id)
            assert live in {each["toVersion"]["version"] for each in done}
            left = [each["version"] for each in await targets(cluster, people, agent_id)]
            assert {each["fromVersion"]["version"] for each in done}.isdisjoint({live, *left})
            assert len(left) == len(there) - len(done)
        assert alone > len(agents)


async def test_a_rollback_meets_the_pruning_of_its_target(servers: Servers, people: People) -> None:
    async with servers.asked(people.auditor) as cluster:
        agent_id, made = await waiting(cluster, people, "pruned", 10 + len(MOMENTS))
        await go_live(cluster, people, made[:10])
        seen = set()
        for number, (moment, new) in enumerate(zip(MOMENTS, made[10:], strict=True)):
            oldest = (await targets(cluster, people, agent_id))[-1]
            given = {
                "agentId": agent_id,
                "toVersionId": oldest["id"],
                "reason": REASON,
                "idempotencyKey": f"pruned {moment} {number}",
            }
            back = twice(people.operators[0], given)
            if moment == "approve":
                got, codes = await cluster.race(*back, approval(people.reviewers[0], new))
            else:
                await begun(cluster, people, new, moment)
                got, codes = await cluster.race(*back)
            rollbacks = {each["id"]: each for each in got if "toVersion" in each}
            seen.add(len(rollbacks))
            if rollbacks:
                (rollback,) = rollbacks.values()
                await over(cluster, people, rollback)
                live, _, _ = await states(cluster, people, agent_id)
                assert (live, codes) == (oldest["version"], [])
                await _free(cluster, people, agent_id, new)
            else:
                assert codes == ["VERSION_PRUNED"] * 2
                await cluster.until(people.dev, new["id"], "LIVE")
                _, found, _ = await states(cluster, people, agent_id)
                assert found[oldest["version"]] == "PRUNED"
            _, found, _ = await states(cluster, people, agent_id)
            assert len([state for state in found.values() if state in {"LIVE", "STANDBY"}]) == 10
        assert seen == {0, 1}


async def test_a_rollback_meets_the_end_of_its_thirty_days(servers: Servers, people: People) -> None:
    async with servers.asked(people.auditor) as cluster:
        ready = await asyncio.gather(
            *(waiting(cluster, people, f"month-{number}", 2) for number in range(len(MOMENTS)))
        )
        await asyncio.gather(*(go_live(cluster, people, made) for _, made in ready))
        seen = set()
        for number, (agent_id, _) in enumerate(ready):
            until = await cluster.bring_window_to_its_end(agent_id, in_ms=(0, 12, 60_000)[number % 3])
            asked = {"agentId": agent_id, "reason": REASON, "idempotencyKey": f"month {number}"}
            got, codes = await cluster.race(*twice(people.operators[0], asked) * 3, first=number)
            assert codes == ["ROLLBACK_WINDOW_CLOSED"] * (6 - len(got))
            seen.add(bool(got))
            if not got:
                assert (await states(cluster, people, agent_id))[0] == "2.0.0"
                continue
            (rollback_id,) = {each["id"] for each in got}
            assert await cluster.started_at(rollback_id) < until
            await over(cluster, people, got[0])
            assert (await states(cluster, people, agent_id))[0] == "1.0.0"
        assert seen == {True, False}


async def _free(cluster: Cluster, people: People, agent_id: str, held: Any) -> None:
    """What the rollback took away can be restored, and what it holds goes live."""
    agent = (await cluster.ask(people.dev, AGENT, id=agent_id))["agent"]
    (taken,) = [each for each in agent["versions"]["nodes"] if each["state"] == "QUARANTINED"]
    why = {"reason": "The cause was found elsewhere."}
    await cluster.done(people.reviewers[0], "releaseQuarantine", versionId=taken["id"], **why)
    await cluster.done(people.operators[0], "releaseHold", agentId=agent_id, **why)
    await cluster.until(people.dev, held["id"], "LIVE")
