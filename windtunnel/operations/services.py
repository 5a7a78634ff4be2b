"""What operations work with: everything that is open in one process."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from openfeature.client import OpenFeatureClient

from windtunnel.delivery.courier import Courier
from windtunnel.deploying.host_process import HostProcessTarget
from windtunnel.deploying.target import DeployTarget
from windtunnel.domain.chains import Verdict
from windtunnel.domain.environments import Environment
from windtunnel.domain.ids import new_id
from windtunnel.domain.planning import Planner
from windtunnel.domain.policy import SIMULATIONS_RUNNING_PER_TENANT, SIMULATIONS_WAITING_PER_TENANT
from windtunnel.domain.prices import ModelPrice
from windtunnel.experiments.crew import Crew
from windtunnel.knowledge import Book
from windtunnel.operations.code_host import CodeHost
from windtunnel.operations.flag_client import open_flag_client
from windtunnel.operations.leaseholder import Leaseholder
from windtunnel.operations.open_places import OpenPlaces
from windtunnel.packages.blobs import BlobStore
from windtunnel.packages.directory import DirectoryBlobs
from windtunnel.packages.inspecting import Inspector
from windtunnel.packages.signers import Signers
from windtunnel.storage.environment_databases import EnvironmentDatabases, databases_beside
from windtunnel.storage.store import Store
from windtunnel.streams.bus import Bus
from windtunnel.streams.environment_channels import EnvironmentChannels, SharedChannels
from windtunnel.streams.hub import Hub
from windtunnel.telemetry.collector import Collector
from windtunnel.telemetry.conventions import Profile
from windtunnel.vault.approvals import ApprovalKeys
from windtunnel.vault.checkpoints import CheckpointFiles
from windtunnel.vault.sealing import KEY_BYTES, Vault


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is allowed: simulations waiting and running per tenant, plans made at a time per process."""

    max_queued: int = SIMULATIONS_WAITING_PER_TENANT
    running_per_tenant: int = SIMULATIONS_RUNNING_PER_TENANT
    planning_at_once: int = 8


@dataclass(frozen=True, slots=True)
class Services:
    """Get them from `open_services`; `places.in_environment` has those of an environment.

    `planning` has the simulations that this process is planning, `verifying` the checks of audit chains that are under
    way, by tenant. `target` is where agents are deployed to. `approvals` are the keys by which workers sign; who only
    answers requests has none.
    """

    store: Store
    hub: Hub
    planner: Planner
    book: Book
    limits: Limits
    planning: Leaseholder
    flags: OpenFeatureClient
    vault: Vault
    courier: Courier
    blobs: BlobStore
    started_at: datetime
    planning_slots: asyncio.Semaphore = field(repr=False)
    places: OpenPlaces
    environments_dir: Path
    code_host: CodeHost
    target: DeployTarget
    inspector: Inspector
    signers: Signers
    crew: Crew
    price: ModelPrice | None = None
    checkpoints: CheckpointFiles | None = None
    approvals: ApprovalKeys | None = field(default=None, repr=False)
    collector: Collector | None = None
    profile: Profile = Profile.V1_41
    environment: Environment | None = None
    at_home: "Services | None" = field(default=None, repr=False)
    verifying: dict[str, asyncio.Task[Verdict]] = field(default_factory=dict, repr=False)

    @property
    def bus(self) -> Bus:
        """The doorbell."""
        return self.hub.bus

    @property
    def home(self) -> "Services":
        """The services outside of any environment: who is asked, told and put on record is there."""
        return self.at_home or self

    def new_id(self) -> str:
        """A fresh id for something that is stored here: at home, or in the environment."""
        return new_id(self.environment.namespace if self.environment else None)


@asynccontextmanager
async def open_services(
    store: Store,
    bus: Bus,
    planner: Planner,
    book: Book,
    limits: Limits,
    *,
    owner: str,
    price: ModelPrice | None = None,
    checkpoints: CheckpointFiles | None = None,
    vault: Vault | None = None,
    courier: Courier | None = None,
    blobs: BlobStore | None = None,
    environments_dir: Path | None = None,
    databases: EnvironmentDatabases | None = None,
    channels: EnvironmentChannels | None = None,
    code_host: CodeHost | None = None,
    approvals: ApprovalKeys | None = None,
    target: DeployTarget | None = None,
    inspector: Inspector | None = None,
    signers: Signers | None = None,
    crew: Crew | None = None,
    collector: Collector | None = None,
    profile: Profile = Profile.V1_41,
) -> AsyncIterator[Services]:
    """Services on an open store and bus, which stay open. `owner` names this process in leases.

    Without a `vault`, what is sealed can be opened by this process alone, without a `courier`, webhooks lead to the
    public internet only, and without `blobs` and `environments_dir`, packages and environments are kept for as long as
    the services are open. In that directory each environment has one of its own, by its namespace. Without a `target`,
    agents are deployed to processes on this machine, which are ended with the services; without an `inspector`,
    packages are looked into by a process of these services, and without `signers`, nobody is trusted to sign them.
    Without a `crew`, experiments are done by processes of these services.
    Simulated telemetry is sent to the `collector` when somebody asks for it, in the words of `profile`.

    In the end, plans under way are given up and their leases released: a worker takes over. Followers are sent away.
    """
    hub = Hub(bus)
    planning = Leaseholder(owner)
    verifying: dict[str, asyncio.Task[Verdict]] = {}
    places: OpenPlaces | None = None
    deploys_to = target
    looks_into = inspector or Inspector()
    does_experiments = crew or Crew()
    try:
        with open_flag_client(store) as flags, _kept_meanwhile() as directory:
            places_dir = environments_dir or directory / "environments"
            places = OpenPlaces(
                store, databases or databases_beside(store, places_dir), channels or SharedChannels(bus)
            )
            host = code_host or CodeHost()
            deploys_to = target or HostProcessTarget(places_dir.parent / "production", host.isolation)
            yield Services(
                store=store,
                hub=hub,
                planner=planner,
                book=book,
                limits=limits,
                planning=planning,
                flags=flags,
                vault=vault or Vault([secrets.token_bytes(KEY_BYTES)]),
                courier=courier or Courier(),
                blobs=blobs or DirectoryBlobs(directory / "packages"),
                places=places,
                environments_dir=places_dir,
                code_host=host,
                target=deploys_to,
                inspector=looks_into,
                signers=signers or Signers(),
                crew=does_experiments,
                started_at=await store.now(),
                planning_slots=asyncio.Semaphore(limits.planning_at_once),
                price=price,
                checkpoints=checkpoints,
                approvals=approvals,
                collector=collector,
                profile=profile,
                verifying=verifying,
            )
    finally:
        for check in tuple(verifying.values()):
            check.cancel()
        await planning.close()
        await hub.close()
        if places is not None:
            await places.close()
        if deploys_to is not None:
            await deploys_to.close()
        if inspector is None:
            looks_into.close()
        if crew is None:
            does_experiments.close()


@contextmanager
def _kept_meanwhile() -> Iterator[Path]:
    with TemporaryDirectory(prefix="windtunnel-") as directory:
        yield Path(directory)
