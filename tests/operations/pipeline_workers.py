"""Workers in the pipeline's random lives: what they claim they carry out, each step as the model says."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tests.operations.pipeline_facts import Agent, Asked, Version
from tests.operations.pipeline_machine import DiedError, Fickle, Hasty
from tests.operations.pipeline_model import Model
from windtunnel.domain.deployments import Deployment
from windtunnel.domain.deployments import DeploymentStatus as S
from windtunnel.operations.lapse_deployment import lapse_deployment
from windtunnel.operations.restore import give_up, restore
from windtunnel.operations.services import Services
from windtunnel.operations.tend_deployment import tend_deployment
from windtunnel.operations.tend_review import tend_review
from windtunnel.storage import deployment_care, deployments, releases, rollback_care
from windtunnel.storage.deployment_care import DeploymentDue
from windtunnel.storage.errors import LeaseLostError


@dataclass
class Sleeper:
    """A worker that stands still in the middle of it; others may go on with what it does."""

    of: Asked | Agent
    id: str
    fence: int
    task: asyncio.Task[None]
    bell: asyncio.Event
    robbed: bool = False


class Workers:
    """What workers do, one of them at a time, but for those who are asleep. `sound` is asked after each thing done."""

    def __init__(self, services: Services, tenant_id: str, model: Model, sound: Callable[[], Awaitable[None]]) -> None:
        self._services, self._store, self._model, self._sound = services, services.store, model, sound
        self._tenant_id = tenant_id
        self._sleepers: list[Sleeper] = []

    @property
    def some_sleep(self) -> bool:
        return bool(self._sleepers)

    async def work(self, mood: str) -> bool:
        """Do what can be claimed at once; whether there was anything."""
        known = {asked.id: asked for asked in self._model.all()}
        claimed = await deployment_care.claim(self._store, "worker", 1_000)
        for deployment in claimed:
            if (asked := known.get(deployment.id)) is None:  # left behind by a life that ended badly
                continue
            assert deployment.status is asked.status
            assert asked.status in {S.SUBMITTED, S.VALIDATING, S.APPROVED, S.DEPLOYING}
            assert asked.status is not S.APPROVED or self._model.now < asked.execute_by
            self._rob(deployment.id)
            if asked.status in {S.SUBMITTED, S.VALIDATING}:
                await self._validate(asked, deployment, mood)
            else:
                await self._deploy(asked, deployment, mood)
            await self._sound()
        return bool(claimed)

    async def restore(self, mood: str) -> None:
        agents = {agent.id: agent for agent in self._model.agents}
        for rollback in await rollback_care.claim(self._store, "worker", 100):
            if (agent := agents.get(rollback.agent_id)) is None:
                continue
            assert agent.target
            assert self._model.now < agent.restore_by
            self._rob(rollback.id)
            task = asyncio.create_task(restore(self._services, rollback))
            if bell := await self._asleep(task, mood):
                self._sleepers.append(Sleeper(agent, rollback.id, rollback.pointer_fence, task, bell))
            else:
                await self._ended(task, dies=mood == "dies")
                self._has_restored(agent, mood)
            await self._sound()

    async def wake(self, mood: str) -> None:
        """Who has slept goes on, one after the other, and cannot do any harm."""
        while self._sleepers:
            sleeper = self._sleepers.pop(0)
            self._target.mood = mood
            sleeper.bell.set()
            if isinstance(sleeper.of, Asked):
                await self._deploy_on(sleeper, sleeper.of, mood)
            else:
                await self._restore_on(sleeper, sleeper.of, mood)
            await self._sound()

    async def sweep(self) -> None:
        for due in await deployment_care.due(self._store):
            if due.due is DeploymentDue.REVIEW:
                await tend_review(self._services, due.tenant_id, due.id)
            elif due.due is DeploymentDue.LAPSED:
                assert await lapse_deployment(self._services, due.tenant_id, due.id)
        for rollback in await rollback_care.overdue(self._store):
            assert await give_up(self._services, rollback)
        self._model.sweep()
        await self._sound()

    async def prune(self, agent: Agent, keep: int) -> None:
        async with self._store.transaction(self._tenant_id):
            await self._store.lock_tenant(self._tenant_id)
            await releases.prune(self._store, self._tenant_id, agent.id)
        self._model.prune(agent, keep)
        await self._sound()

    async def stored(self, asked: Asked) -> Deployment:
        found = await deployments.get(self._store, self._tenant_id, asked.id)
        assert found
        return found

    async def version_id(self, agent: Agent, version: Version) -> str:
        rows = await self._store.of(self._tenant_id).fetch(
            "SELECT id FROM agent_versions WHERE tenant_id = $1 AND agent_id = $2 AND package_digest = $3 AND bound",
            self._tenant_id,
            agent.id,
            version.digest,
        )
        return str(rows[0]["id"])

    async def _validate(self, asked: Asked, deployment: Deployment, mood: str) -> None:
        inspector = self._services.inspector
        assert isinstance(inspector, Hasty)
        inspector.dies = mood == "dies"
        asked.become(S.VALIDATING)
        await self._ended(tend_deployment(self._services, deployment), dies=inspector.dies)
        if not inspector.dies:
            self._model.validate(asked)

    async def _deploy(self, asked: Asked, deployment: Deployment, mood: str) -> None:
        begun = self._model.begin(asked)
        fence, approved = asked.agent.fence, self._model.is_approved(asked)
        task = asyncio.create_task(tend_deployment(self._services, deployment))
        if bell := await self._asleep(task, mood):
            assert begun
            assert approved
            self._sleepers.append(Sleeper(asked, asked.id, fence, task, bell))
            return
        await self._ended(task, dies=begun and approved and mood == "dies")
        if begun and (mood != "dies" or not approved):
            self._model.deployed(asked, well=approved and mood == "well")

    async def _deploy_on(self, sleeper: Sleeper, asked: Asked, mood: str) -> None:
        lost = sleeper.robbed or asked.status is not S.DEPLOYING
        overtaken = sleeper.fence != asked.agent.fence
        await self._ended(sleeper.task, lost=lost)
        if lost:
            return
        if mood == "well" and not overtaken and self._model.now >= asked.execute_by:
            asked.become(S.LAPSED)
            return
        asked.agent.fence += overtaken and mood == "well"
        self._model.deployed(asked, well=mood == "well" and (not overtaken or self._model.is_approved(asked)))

    async def _restore_on(self, sleeper: Sleeper, agent: Agent, mood: str) -> None:
        lost = sleeper.robbed or agent.target is None or agent.fence != sleeper.fence
        lost = lost or (mood == "well" and self._model.now >= agent.restore_by)
        await self._ended(sleeper.task, lost=lost)
        if not lost:
            self._has_restored(agent, mood)

    def _has_restored(self, agent: Agent, mood: str) -> None:
        if mood == "well":
            self._model.restored(agent)
        elif mood != "dies":
            agent.target = None

    async def _asleep(self, task: asyncio.Task[None], mood: str) -> asyncio.Event | None:
        """Let somebody work until it is over, or until they sleep: what wakes them."""
        target = self._target
        target.mood = mood
        target.bells.clear()
        reached = asyncio.create_task(target.slept.wait())
        await asyncio.wait({task, reached}, return_when=asyncio.FIRST_COMPLETED)
        reached.cancel()
        target.slept.clear()
        return target.bells.pop() if target.bells else None

    async def _ended(self, working: Awaitable[None], *, dies: bool = False, lost: bool = False) -> None:
        """Wait for its end, which is none when somebody dies, or has lost what they were doing to somebody else."""
        end: type[Exception] | None = None
        try:
            await working
        except (DiedError, LeaseLostError) as error:
            end = type(error)
        assert end is (DiedError if dies else LeaseLostError if lost else None)

    def _rob(self, worked_on: str) -> None:
        for sleeper in self._sleepers:
            sleeper.robbed |= sleeper.id == worked_on

    @property
    def _target(self) -> Fickle:
        assert isinstance(self._services.target, Fickle)
        return self._services.target
