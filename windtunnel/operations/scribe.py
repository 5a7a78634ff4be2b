"""The one writer of a simulation's events: numbers them, stores them under its fence, then announces them."""

import asyncio
from collections.abc import Sequence

from windtunnel.domain.architectures import Architecture
from windtunnel.domain.audit import AuditAction
from windtunnel.domain.entities import Kind, Subject
from windtunnel.domain.events import EventDraft, SimulationEvent
from windtunnel.domain.exercises import Exercise, drafts_of
from windtunnel.domain.interpretations import Interpretation
from windtunnel.domain.notifications import NotificationKind
from windtunnel.domain.simulations import Command, Simulation, SimulationFailure, SimulationStatus
from windtunnel.operations.announce import announce_events, announce_work
from windtunnel.operations.audit_trail import record
from windtunnel.operations.environment_runs import count_in
from windtunnel.operations.lifecycle import finished_draft, finished_words, planned_draft
from windtunnel.operations.notify import announce_notifications, notify
from windtunnel.operations.places import both
from windtunnel.operations.services import Services
from windtunnel.storage import architectures, commands, environment_usage, events, scenarios, transitions
from windtunnel.storage.errors import ConstraintError, LeaseLostError
from windtunnel.storage.exercises import exercised


class Scribe:
    """Every method stores in one transaction and raises LeaseLostError once someone else writes, or it is over."""

    def __init__(self, services: Services, simulation: Simulation) -> None:
        self.last_seq = simulation.last_seq
        self._services = services
        self._store = services.store
        self._simulation = simulation
        self._lock = asyncio.Lock()  # planning agents work side by side, and each reports its steps

    async def append(self, drafts: Sequence[EventDraft]) -> None:
        """Store and announce events."""
        async with self._lock:
            stored = await events.append(
                self._store,
                self._simulation.tenant_id,
                self._simulation.id,
                self._simulation.fence,
                self.last_seq,
                drafts,
            )
            self.last_seq += len(drafts)
            await announce_events(self._services.bus, self._simulation.id, stored)

    async def append_fixing_commands(self, drafts: Sequence[EventDraft], step: int) -> list[Command]:
        """Store the events of the steps before `step`, and fix whatever commands wait to take effect then.

        Returns these commands. The events lock the simulation's row first, so that no command slips in between.
        """
        simulation = self._simulation
        tenant_id = simulation.tenant_id
        async with self._store.transaction(tenant_id):
            stored = await events.append(self._store, tenant_id, simulation.id, simulation.fence, self.last_seq, drafts)
            recorded = await commands.list(self._store, tenant_id, simulation.id)
            waiting = [each for each in recorded if each.step is None]
            for command in waiting:
                await commands.fix(self._store, tenant_id, simulation.id, command.number, step)
        self.last_seq += len(drafts)
        await announce_events(self._services.bus, simulation.id, stored)
        return waiting

    async def planned(self, interpretation: Interpretation, architecture: Architecture) -> None:
        """PLANNING -> QUEUED, and workers are told."""
        architecture_id = self._services.new_id()
        draft = planned_draft(architecture, architecture_id)
        try:
            stored = await self._store_plan(interpretation, architecture, architecture_id, draft)
        except ConstraintError as error:
            raise LeaseLostError(self._simulation.id) from error  # the scenario was deleted
        self.last_seq += 1
        await announce_events(self._services.bus, self._simulation.id, stored)
        await announce_work(self._services.home.bus)

    async def _store_plan(
        self, interpretation: Interpretation, architecture: Architecture, architecture_id: str, draft: EventDraft
    ) -> list[SimulationEvent]:
        simulation = self._simulation
        async with self._store.transaction(simulation.tenant_id):
            await architectures.insert(
                self._store,
                simulation.tenant_id,
                architecture_id,
                scenario_id=simulation.scenario_id,
                architecture=architecture,
                created_at=await self._store.now(),
            )
            return await transitions.planned(
                self._store,
                simulation.tenant_id,
                simulation.id,
                simulation.fence,
                self.last_seq,
                interpretation=interpretation,
                architecture_id=architecture_id,
                drafts=[draft],
            )

    async def exercised(self, exercise: Exercise) -> None:
        """Note what came of a package's own code, before the story begins, and what it used."""
        simulation, environment, drafts = self._simulation, self._services.environment, drafts_of(exercise)
        async with both(self._services, simulation.tenant_id):
            stored = await exercised(
                self._store,
                simulation.tenant_id,
                simulation.id,
                simulation.fence,
                self.last_seq,
                exercise=exercise,
                drafts=drafts,
            )
            if environment is not None and exercise.cpu_ms:
                home = self._services.home.store
                await environment_usage.add(home, environment.tenant_id, environment.id, cpu_ms=exercise.cpu_ms)
        self.last_seq += len(drafts)
        await announce_events(self._services.bus, simulation.id, stored)

    async def succeeded(self, narrative: str, drafts: Sequence[EventDraft], elapsed_ms: float) -> None:
        """RUNNING -> SUCCEEDED with the last events. Raises CommandsPendingError: nothing is stored then."""
        await self._finished(SimulationStatus.SUCCEEDED, elapsed_ms=elapsed_ms, drafts=drafts, narrative=narrative)

    async def failed(self, failure: SimulationFailure) -> None:
        """PLANNING or RUNNING -> FAILED."""
        simulation = self._simulation
        last = await events.read(self._store, simulation.tenant_id, simulation.id, self.last_seq - 1, 1)
        elapsed_ms = last[0].elapsed_ms if last else 0.0
        await self._finished(SimulationStatus.FAILED, elapsed_ms=elapsed_ms, failure=failure)

    async def _finished(
        self,
        status: SimulationStatus,
        *,
        elapsed_ms: float,
        drafts: Sequence[EventDraft] = (),
        narrative: str | None = None,
        failure: SimulationFailure | None = None,
    ) -> None:
        simulation = self._simulation
        last = finished_draft(status, elapsed_ms, failure.message if failure else None)
        which = await self._which()
        async with both(self._services, simulation.tenant_id):
            stored = await transitions.finished(
                self._store,
                simulation.tenant_id,
                simulation.id,
                simulation.fence,
                self.last_seq,
                status=status,
                narrative=narrative,
                error=failure,
                drafts=[*drafts, last],
            )
            await count_in(self._services, simulation.tenant_id, simulation.id)
            subject = Subject(Kind.SIMULATION, simulation.id)
            title, body = finished_words(status, which, stored[-1], failure)
            announcement = await notify(
                self._services,
                simulation.tenant_id,
                NotificationKind.SIMULATION_FINISHED,
                title=title,
                body=body,
                subject=subject,
                recipients=[simulation.created_by],
            )
            await record(
                self._services,
                None,
                simulation.tenant_id,
                AuditAction.SIMULATION_FINISHED,
                subject,
                details={"status": status.value, "error": failure and failure.code.value},
            )
        self.last_seq += len(drafts) + 1
        await announce_events(self._services.bus, simulation.id, stored)
        await announce_notifications(self._services.home.bus, announcement)

    async def _which(self) -> str | None:
        """How people know it: by what was told in words; in an environment by its name, as the words go with it."""
        if self._services.environment is not None:
            return f"in {self._services.environment.name!r}"
        scenario_id, tenant_id = self._simulation.scenario_id, self._simulation.tenant_id
        found = await scenarios.get_many(self._store, tenant_id, [scenario_id] if scenario_id else [])
        return next((scenario.title for scenario in found.values()), None)
