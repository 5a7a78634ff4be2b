"""Making an environment, step by step: each is on record before it is begun, so that anybody can go on after it."""

from datetime import datetime, timedelta
from hashlib import sha256

import structlog

from windtunnel.domain.audit import AuditAction
from windtunnel.domain.environments import (
    Environment,
    EnvironmentEventDraft,
    EnvironmentStatus,
    IsolationReport,
    Resource,
    ResourceKind,
    ResourceStatus,
)
from windtunnel.domain.errors import UnavailableError
from windtunnel.domain.isolation import ProbeOutcome
from windtunnel.domain.notifications import NotificationKind
from windtunnel.operations.environment_changes import Changed
from windtunnel.operations.environment_parts import PARTS, locator_of, make, remove
from windtunnel.operations.places import key_of
from windtunnel.operations.sandboxes import examine
from windtunnel.operations.services import Services
from windtunnel.operations.tell_environment import Entry, Notice, tell
from windtunnel.sandbox.errors import SandboxError
from windtunnel.storage import environment_care, environment_resources, environments
from windtunnel.storage.errors import LeaseLostError
from windtunnel.storage.isolation_reports import report_to_json
from windtunnel.vault.sealing import UnsealError

AGAIN_AFTER_S = (2, 5, 10, 30)
"""When what an environment is made with was down."""

AWAY = "What it is made with cannot be used right now; it is tried again."

_MAKING = {
    ResourceKind.DIRECTORY: ("Making its directory.", 0.1),
    ResourceKind.DATABASE: ("Making its database.", 0.2),
    ResourceKind.CHANNEL: ("Making its channels.", 0.4),
}
DEFECT = "It could not be made because of a defect in this service. Provision another one, or tell its operator."

log = structlog.get_logger()


class NotMadeError(Exception):
    """The environment cannot be made; the message says why. `report` has what was seen, if it came to that."""

    def __init__(self, message: str, report: IsolationReport | None = None) -> None:
        super().__init__(message)
        self.report = report


async def provision(services: Services, environment: Environment) -> None:
    """PROVISIONING -> READY or FAILED, for whoever has claimed the environment; what is done already is not repeated.

    When something is down, it is given up, to be tried again soon, until its time is over. Raises LeaseLostError,
    UnavailableError.
    """
    try:
        report = await _made(services, environment)
    except LeaseLostError:
        raise
    except UnavailableError as error:
        log.warning("environment not made yet", environment_id=environment.id, reason=error.message)
        await _postpone(services, environment)
    except NotMadeError as error:
        await _fail(services, environment, str(error), error.report)
    except (OSError, SandboxError, UnsealError) as error:
        log.warning("environment not made", environment_id=environment.id, reason=str(error))
        await _fail(services, environment, f"It could not be made: {refused(error)}.")
    except Exception:
        log.exception("environment not made because of a defect", environment_id=environment.id)
        await _fail(services, environment, DEFECT)
    else:
        await _open(services, environment, report)


async def _made(services: Services, environment: Environment) -> IsolationReport:
    steps = _Steps(services, environment)
    try:
        return await _make_all(services, environment, steps)
    except LeaseLostError:
        if steps.just_made is not None:
            await _take_back(services, environment)
        raise


async def _make_all(services: Services, environment: Environment, steps: "_Steps") -> IsolationReport:
    found = await environment_resources.of_environments(services.store, environment.tenant_id, [environment.id])
    there = {each.kind for each in found[environment.id] if each.status is ResourceStatus.CREATED}
    for kind in PARTS:
        if kind not in there:
            await steps.making(kind)
            await make(services, key_of(services, environment), kind)
            steps.just_made = kind
    await steps.at("configuration", "Checking its copy of production's configuration.", 0.5)
    if environment.snapshot.digest != environment.snapshot_digest:
        raise NotMadeError("Its copy of production's configuration is not the one that was made.")
    await steps.at("isolation", "Looking from inside at what can be reached.", 0.6)
    report = await examine(services, environment)
    if through := [each.probe.value for each in report.probes if each.outcome is ProbeOutcome.ALLOWED]:
        raise NotMadeError(f"What runs in it could get out: {', '.join(through)}.", report)
    return report


async def _take_back(services: Services, environment: Environment) -> None:
    """Remove what was made after others had cleaned up, and looked. While they do so, it is theirs to find."""
    now = await environments.get(services.store, environment.tenant_id, environment.id)
    if now is None or now.status is not EnvironmentStatus.DELETED:
        return
    try:
        for kind in (ResourceKind.DATABASE, ResourceKind.CHANNEL, ResourceKind.DIRECTORY):
            locator = locator_of(services, environment.namespace, kind)
            part = Resource(PARTS[kind], kind, locator, ResourceStatus.REMOVED, services.started_at)
            await remove(services, environment.namespace, part)
    except (UnavailableError, OSError) as error:
        log.warning("left to the reaper", environment_id=environment.id, reason=str(error))


class _Steps:
    """Puts each step on record before it is taken, together with what the one before has made (`just_made`)."""

    def __init__(self, services: Services, environment: Environment) -> None:
        self._services = services
        self._environment = environment
        self.just_made: ResourceKind | None = None

    async def making(self, kind: ResourceKind) -> None:
        """A part is about to be made."""
        await self.at(PARTS[kind], *_MAKING[kind], intended=kind)

    async def at(self, step: str, message: str, progress: float, intended: ResourceKind | None = None) -> None:
        """Another step. Raises LeaseLostError."""
        store, environment = self._services.store, self._environment
        tenant_id, environment_id = environment.tenant_id, environment.id
        draft = EnvironmentEventDraft(EnvironmentStatus.PROVISIONING, step, message, progress)

        async def change() -> Changed:
            changed = await environment_care.stepped(store, environment, draft)
            if self.just_made is not None:
                await environment_resources.created(store, tenant_id, environment_id, PARTS[self.just_made])
            if intended is not None:
                locator = locator_of(self._services, environment.namespace, intended)
                await environment_resources.intend(
                    store, tenant_id, environment_id, key=PARTS[intended], kind=intended, locator=locator
                )
            return changed

        await tell(self._services, tenant_id, change)
        self.just_made = None


async def _postpone(services: Services, environment: Environment) -> None:
    pause = timedelta(seconds=AGAIN_AFTER_S[min(environment.attempts, len(AGAIN_AFTER_S) - 1)])
    draft = EnvironmentEventDraft(EnvironmentStatus.PROVISIONING, "waiting", AWAY, 0.0)
    await tell(
        services,
        environment.tenant_id,
        lambda: environment_care.postponed(services.store, environment, pause, draft),
    )


async def _open(services: Services, environment: Environment, report: IsolationReport) -> None:
    verdict = (
        f"isolation {report.level}" if report.allows_code else f"isolation {report.level}, for no code of packages"
    )
    draft = EnvironmentEventDraft(EnvironmentStatus.READY, "ready", f"The environment is ready: {verdict}.", 1.0)
    seen = sha256(report_to_json(report).encode()).hexdigest()
    await tell(
        services,
        environment.tenant_id,
        lambda: environment_care.ready(services.store, environment, report, draft),
        notice=lambda now: Notice(
            NotificationKind.ENVIRONMENT_READY,
            f"Environment ready: {now.name}",
            f"It is there until {said(now.expires_at)}. {_code(report)}",
        ),
        entry=lambda now: Entry(
            AuditAction.ENVIRONMENT_READY,
            details={
                "isolation": report.level.value,
                "minimumIsolation": report.minimum.value,
                "isolationReportSha256": seen,
                "configurationDigest": now.snapshot_digest,
                "expiresAt": now.expires_at,
            },
        ),
    )


def _code(report: IsolationReport) -> str:
    if report.allows_code:
        return f"Isolation is {report.level}: code of packages runs in it."
    return f"Isolation is {report.level}, less than {report.minimum}: it simulates, and runs no code of packages."


async def _fail(
    services: Services, environment: Environment, failure: str, report: IsolationReport | None = None
) -> None:
    draft = EnvironmentEventDraft(EnvironmentStatus.FAILED, "failed", failure, 1.0)
    await tell(
        services,
        environment.tenant_id,
        lambda: environment_care.failed(services.store, environment, failure, draft, report),
        notice=failure_notice,
        entry=failure_entry,
    )


def failure_notice(environment: Environment) -> Notice:
    """What the creator is told of a failed environment."""
    title = f"Environment failed: {environment.name}"
    return Notice(NotificationKind.ENVIRONMENT_FAILED, title, f"{environment.failure} It is being removed.")


def failure_entry(environment: Environment) -> Entry:
    """What the audit log says of a failed environment."""
    return Entry(AuditAction.ENVIRONMENT_FAILED, reason=environment.failure)


def said(moment: datetime) -> str:
    """A moment for people."""
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def refused(error: Exception) -> str:
    """Why, for people: without the paths and addresses of a host, which are in its log."""
    if isinstance(error, SandboxError):
        return "its isolation cannot be tried on this host"
    if isinstance(error, UnsealError):
        return "its password cannot be read with the keys of this host"
    return (error.strerror if isinstance(error, OSError) else None) or "the host refuses"
