"""Batched reads: what the fields of one query ask for in the same breath becomes one statement."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TypeVar

from strawberry.dataloader import DataLoader

from resolvers.batching import Grouped, by_id
from resolvers.pipeline_loaders import PipelineLoaders
from resolvers.runs import WholeRuns
from windtunnel.domain.architectures import StoredArchitecture
from windtunnel.domain.audit import AuditEntry
from windtunnel.domain.environments import Environment, Resource
from windtunnel.domain.events import EventKind, SimulationEvent
from windtunnel.domain.experiments import Experiment
from windtunnel.domain.isolation import IsolationLevel
from windtunnel.domain.notifications import Notification
from windtunnel.domain.pages import Keyset, Page, PageRequest
from windtunnel.domain.production import Snapshot
from windtunnel.domain.scenarios import Scenario
from windtunnel.domain.simulations import Command, Simulation
from windtunnel.domain.tokens import ApiToken
from windtunnel.domain.viewers import User, Viewer
from windtunnel.domain.webhooks import Delivery, DeliveryStatus, Webhook
from windtunnel.operations.environment_simulations import nothing
from windtunnel.operations.places import gathered
from windtunnel.operations.services import Services
from windtunnel.storage import (
    architectures,
    audit,
    commands,
    delivery_pages,
    environment_resources,
    environments,
    events,
    experiments,
    notifications,
    production,
    scenarios,
    simulations,
    tenants,
    tokens,
    webhooks,
)
from windtunnel.storage.store import Store

T = TypeVar("T")
Load = Callable[[Store, str, list[str]], Awaitable[Mapping[str, T]]]


@dataclass(frozen=True, slots=True)
class Slice:
    """Which simulations of a scenario."""

    limit: int
    after: Keyset | None


@dataclass(frozen=True, slots=True)
class Stretch:
    """Which events of a simulation."""

    after: int
    limit: int | None
    kinds: frozenset[EventKind] | None


@dataclass(frozen=True, slots=True)
class DeliverySlice:
    """Which messages to a webhook."""

    limit: int
    after: Keyset | None
    status: DeliveryStatus | None


class Loaders:
    """One loader per noun, all for one viewer. Unknown ids, and those of what is not theirs, load as None."""

    def __init__(self, services: Services, viewer: Viewer) -> None:
        store, tenant_id = services.store, viewer.tenant_id

        async def anywhere(load: Load[T], ids: list[str]) -> dict[str, T]:
            """Things that lie at home or in environments."""
            return await gathered(services, tenant_id, ids, lambda place, there: load(place, tenant_id, there))

        async def stretches(ids: list[str], how: Stretch) -> dict[str, list[SimulationEvent]]:
            """Events of simulations; none of those that are gone."""
            read = partial(events.read_many, after=how.after, limit=how.limit, kinds=how.kinds)
            return {key: [] for key in ids} | await anywhere(read, ids)

        async def slices(ids: list[str], how: Slice) -> dict[str, Page[Simulation]]:
            """Simulations of scenarios; none of those that are gone."""
            read = partial(simulations.pages_of_scenarios, limit=how.limit, after=how.after)
            return dict.fromkeys(ids, nothing(PageRequest(how.limit))) | await anywhere(read, ids)

        self.scenarios: DataLoader[str, Scenario | None] = by_id(partial(anywhere, scenarios.get_many))
        self.architectures: DataLoader[str, StoredArchitecture | None] = by_id(
            partial(anywhere, architectures.get_many)
        )
        self.simulations: DataLoader[str, Simulation | None] = by_id(partial(anywhere, simulations.get_many))
        self.experiments: DataLoader[str, Experiment | None] = by_id(
            lambda ids: experiments.get_many(store, tenant_id, ids)
        )
        self.users: DataLoader[str, User | None] = by_id(lambda ids: tenants.users(store, tenant_id, ids))
        self.tokens: DataLoader[str, ApiToken | None] = by_id(lambda ids: tokens.get_many(store, tenant_id, ids))
        self.notifications: DataLoader[str, Notification | None] = by_id(
            lambda ids: notifications.get_many(store, tenant_id, viewer.user.id, ids)
        )
        self.audit_entries: DataLoader[str, AuditEntry | None] = by_id(
            lambda ids: audit.get_many(store, tenant_id, ids)
        )
        self.commands: DataLoader[str, Sequence[Command] | None] = by_id(partial(anywhere, commands.list_many))
        self.scenario_simulations: Grouped[Slice, Page[Simulation]] = Grouped(slices)
        self.events: Grouped[Stretch, list[SimulationEvent]] = Grouped(stretches)
        self.webhooks: DataLoader[str, Webhook | None] = by_id(lambda ids: webhooks.get_many(store, tenant_id, ids))
        self.deliveries: DataLoader[str, Delivery | None] = by_id(
            lambda ids: delivery_pages.get_many(store, tenant_id, ids)
        )
        self.dead_letters: DataLoader[str, int | None] = by_id(
            lambda ids: delivery_pages.dead_letters(store, tenant_id, ids)
        )
        self.webhook_deliveries: Grouped[DeliverySlice, Page[Delivery]] = Grouped(
            lambda ids, how: delivery_pages.pages_of_webhooks(
                store, tenant_id, ids, how.limit, how.after, status=how.status
            )
        )
        self.environments: DataLoader[str, Environment | None] = by_id(
            lambda ids: environments.get_many(store, tenant_id, ids)
        )
        self.environments_by_namespace: DataLoader[str, Environment | None] = by_id(
            lambda namespaces: environments.of_namespaces(store, tenant_id, namespaces)
        )
        self.environment_resources: DataLoader[str, Sequence[Resource] | None] = by_id(
            lambda ids: environment_resources.of_environments(store, tenant_id, ids)
        )
        self.production: DataLoader[str, Snapshot] = DataLoader(lambda ids: _snapshots(store, tenant_id, len(ids)))
        self.minimum_isolation: DataLoader[str, IsolationLevel] = DataLoader(
            lambda ids: _minima(store, tenant_id, len(ids))
        )
        self.now: DataLoader[None, datetime] = DataLoader(lambda askers: _times(store, len(askers)))
        self.pipeline = PipelineLoaders(store, tenant_id, self.now)
        self.runs = WholeRuns(lambda ids: stretches(ids, Stretch(0, None, None)))


async def _snapshots(store: Store, tenant_id: str, times: int) -> list[Snapshot]:
    """Production as it is now, there being one of each tenant."""
    return [await production.snapshot(store, tenant_id)] * times


async def _minima(store: Store, tenant_id: str, times: int) -> list[IsolationLevel]:
    """What the tenant wants, there being one."""
    return [await tenants.minimum_isolation(store, tenant_id)] * times


async def _times(store: Store, times: int) -> list[datetime]:
    """The time in the database, there being one of it."""
    return [await store.now()] * times
