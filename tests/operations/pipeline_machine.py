"""The world of the pipeline's random lives: people, workers that can fail, stop or sleep, and what must always hold."""

import asyncio
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import BinaryIO

from tests.operations.pipeline_facts import Agent, Asked
from tests.operations.pipeline_model import Model
from windtunnel.deploying.target import Described, FailureCode, Observed, OpenPackage, Release, ReleaseError
from windtunnel.domain.agents import RETAINED_STATES, AgentVersion
from windtunnel.domain.agents import VersionState as V
from windtunnel.domain.deployments import DeploymentStatus as S
from windtunnel.domain.pipeline_table import TRANSITIONS
from windtunnel.domain.retention import to_prune
from windtunnel.domain.viewers import Viewer
from windtunnel.operations.services import Services
from windtunnel.packages.checking import CheckedPackage, check_package
from windtunnel.packages.inspecting import Inspector
from windtunnel.storage.store import Store


class DiedError(Exception):
    """Whoever did this is gone, and has told nobody."""


class Fickle:
    """A place that agents are deployed to: whether what is started is well is said from outside.

    `mood` is what happens to whatever comes up next: "well", "ill", "dies", or "sleeps" until its bell rings.
    """

    def __init__(self) -> None:
        self.mood = "well"
        self.bells: list[asyncio.Event] = []
        self.slept = asyncio.Event()
        self.live: dict[str, tuple[int, str]] = {}

    async def stage(self, release: Release, open_package: OpenPackage) -> None:
        (await open_package()).close()

    async def start(self, release: Release) -> None:
        pass

    async def health(self, release: Release) -> Described:
        if self.mood == "sleeps":
            bell = asyncio.Event()
            self.bells.append(bell)
            self.slept.set()
            await bell.wait()
        if self.mood == "dies":
            raise DiedError
        if self.mood == "ill":
            raise ReleaseError(FailureCode.UNHEALTHY, "It is ill.")
        return Described("demo/agent", "1.0.0", release.digest)

    async def switch(self, release: Release, fence: int) -> None:
        if fence > self.live.get(release.agent_id, (0, ""))[0]:
            self.live[release.agent_id] = fence, release.digest

    async def drain(self, release: Release) -> None:
        pass

    async def remove(self, release: Release) -> None:
        assert self.live.get(release.agent_id, (0, ""))[1] != release.digest

    async def observe(self) -> list[Observed]:
        return []

    async def mend(self) -> None:
        pass

    async def close(self) -> None:
        pass


@dataclass
class Retention:
    """Which versions go, when so many stay as is said from outside."""

    keep: int

    def __call__(self, versions: Iterable[AgentVersion], pinned: Collection[str] = ()) -> tuple[AgentVersion, ...]:
        return to_prune(versions, pinned, self.keep)


class Hasty(Inspector):
    """Checks the archive and its manifest as ever, and takes the files for granted: no process is needed for that."""

    dies = False

    async def inspect(self, file: BinaryIO, *, namespace: str | None = None) -> CheckedPackage:
        if self.dies:
            raise DiedError
        return check_package(file, namespace=namespace)


async def check(services: Services, model: Model, people: dict[str, Viewer]) -> None:
    """All that must hold at any time, and that everything is as the model says."""
    store, tenant_id = services.store, people["ada"].tenant_id
    assert isinstance(services.target, Fickle)
    runs = services.target.live
    ids = [agent.id for agent in model.agents]
    rows = await store.of(tenant_id).fetch(
        "SELECT id, status, last_seq, attempts, quorum, package_digest, submitted_by FROM deployments"
        " WHERE tenant_id = $1 AND agent_id = ANY($2)",
        tenant_id,
        ids,
    )
    found = {row["id"]: row for row in rows}
    seen = {asked.id: (found[asked.id]["status"], found[asked.id]["attempts"]) for asked in model.all()}
    expected = {asked.id: (asked.status.value, asked.attempts) for asked in model.all()}
    assert seen == expected, sorted(set(seen.items()) ^ set(expected.items()))
    assert len(seen) == len(rows)
    await _check_timelines(store, tenant_id, {row["id"]: row["last_seq"] for row in rows}, model)
    names = {viewer.user.id: name for name, viewer in people.items()}
    for agent in model.agents:
        await _check_production(store, tenant_id, agent, model.keep)
        assert runs.get(agent.id, (0, None))[1] == (agent.live.version.digest if agent.live else None)
        if agent.live is not None:
            await _check_reviewed(store, tenant_id, agent.live, names)


async def _check_timelines(store: Store, tenant_id: str, last: dict[str, int], model: Model) -> None:
    """Each is told without a gap, by steps of the table, and ends with what the deployment is."""
    told = defaultdict(list)
    for row in await store.of(tenant_id).fetch(
        "SELECT deployment_id, seq, status FROM deployment_events WHERE tenant_id = $1 AND deployment_id = ANY($2)"
        " ORDER BY deployment_id, seq",
        tenant_id,
        list(last),
    ):
        told[row["deployment_id"]].append((row["seq"], S(row["status"])))
    for asked in model.all():
        steps = told[asked.id]
        assert [seq for seq, _ in steps] == list(range(1, last[asked.id] + 1))
        assert (steps[0][1], steps[-1][1]) == (S.SUBMITTED, asked.status)
        for (_, source), (_, target) in pairwise(steps):
            assert source is target or target in TRANSITIONS[source], steps


async def _check_production(store: Store, tenant_id: str, agent: Agent, keep: int) -> None:
    """One version is live at most, that of the pointer; nothing is pruned that has to stay."""
    scope = store.of(tenant_id)
    (pointer,) = await scope.fetch(
        "SELECT version_id, deployment_id, package_digest, release_seq, fence FROM pointers"
        " WHERE tenant_id = $1 AND agent_id = $2",
        tenant_id,
        agent.id,
    )
    rows = await scope.fetch(
        "SELECT id, package_digest, state, last_release FROM agent_versions"
        " WHERE tenant_id = $1 AND agent_id = $2 AND bound",
        tenant_id,
        agent.id,
    )
    states = {row["package_digest"]: V(row["state"]) for row in rows}
    live = [row["id"] for row in rows if row["state"] == V.LIVE]
    assert live == ([pointer["version_id"]] if pointer["version_id"] else [])
    assert pointer["deployment_id"] == (agent.live.id if agent.live else None)
    assert pointer["package_digest"] == (agent.live.version.digest if agent.live else None)
    assert (pointer["release_seq"], pointer["fence"]) == (agent.releases, agent.fence)
    assert sum(state in RETAINED_STATES for state in states.values()) <= max(keep, 3)  # live, live last, pinned
    assert all(states[version.digest] in RETAINED_STATES for version in agent.needed())
    assert states == {version.digest: version.state for version in agent.versions}
    running = await scope.fetch(
        "SELECT to_version_id FROM rollbacks WHERE tenant_id = $1 AND agent_id = $2 AND status = 'RUNNING'",
        tenant_id,
        agent.id,
    )
    by_id = {row["id"]: row["package_digest"] for row in rows}
    assert [by_id[row["to_version_id"]] for row in running] == ([agent.target.digest] if agent.target else [])


async def _check_reviewed(store: Store, tenant_id: str, asked: Asked, names: dict[str, str]) -> None:
    """What is live was approved by enough others, for its very bytes."""
    rows = await store.of(tenant_id).fetch(
        "SELECT v.person_id FROM review_votes AS v JOIN reviews AS r ON r.tenant_id = v.tenant_id"
        " AND r.id = v.review_id WHERE v.tenant_id = $1 AND r.deployment_id = $2 AND v.decision = 'APPROVE'"
        " AND v.reviewed_digest = $3",
        tenant_id,
        asked.id,
        asked.version.digest,
    )
    voters = {names[row["person_id"]] for row in rows}
    assert voters == set(asked.votes)
    assert len(voters - asked.parties) >= asked.quorum
