"""The end of an experiment: its result, its last event, the notice and the entry on record in one transaction."""

from windtunnel.domain.audit import AuditAction
from windtunnel.domain.entities import Kind, Subject
from windtunnel.domain.experiments import Estimate, Experiment, Findings, careful
from windtunnel.domain.notifications import NotificationKind
from windtunnel.operations.announce import announce_experiments
from windtunnel.operations.audit_trail import record
from windtunnel.operations.experiment_log import announce_experiment
from windtunnel.operations.notify import announce_notifications, notify
from windtunnel.operations.services import Services
from windtunnel.storage import experiment_changes
from windtunnel.storage.errors import LeaseLostError


async def finish(services: Services, experiment: Experiment, *, findings: str | None = None, failure: str = "") -> None:
    """SUCCEEDED with `findings` (JSON), else FAILED. Raises LeaseLostError, UnavailableError."""
    home, tenant_id = services.home, experiment.tenant_id
    subject = Subject(Kind.EXPERIMENT, experiment.id)
    async with home.store.transaction(tenant_id):
        if findings is not None:
            changed = await experiment_changes.succeeded(home.store, experiment, findings)
        else:
            changed = await experiment_changes.failed(home.store, experiment, failure)
        if changed is None:
            raise LeaseLostError(experiment.id)
        now, event = changed
        told = await notify(
            home,
            tenant_id,
            NotificationKind.EXPERIMENT_FINISHED,
            title="Experiment failed" if now.findings is None else "Experiment finished",
            body=failure if now.findings is None else summary_of(now, now.findings),
            subject=subject,
            recipients=[now.created_by],
        )
        details = {"status": now.status.value}
        await record(
            home,
            None,
            tenant_id,
            AuditAction.EXPERIMENT_FINISHED,
            subject,
            details=details,
            request_id=now.request_id,
        )
    await announce_experiment(home.bus, event)
    await announce_notifications(home.bus, told)
    await announce_experiments(home.bus)  # the tenant may run one more


def summary_of(experiment: Experiment, findings: Findings) -> str:
    """What was found, in a few sentences."""
    load, base = experiment.load, findings.base
    told = (
        f"{load.replications:,} replications of {load.tasks:,} tasks: success {_share(base.success_rate)},"
        f" 95 % of the tasks within {_ms(base.latency_p95_ms)} ms.{careful(base)}"
    )
    if findings.difference is None:
        return told
    change = findings.difference.success_rate
    return (
        f"{told} The variant: success {change.mean * 100:+.1f} points"
        f" ({change.low * 100:+.1f} to {change.high * 100:+.1f})."
    )


def _share(estimate: Estimate) -> str:
    return f"{estimate.mean:.1%} ({estimate.low:.1%} to {estimate.high:.1%})"


def _ms(estimate: Estimate) -> str:
    return f"{estimate.mean:,.0f} ({estimate.low:,.0f} to {estimate.high:,.0f})"
