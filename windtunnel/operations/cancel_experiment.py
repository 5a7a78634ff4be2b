"""Cancelling an experiment: it ends now, whoever conducts it; what was done of it is thrown away."""

from windtunnel.domain.audit import AuditAction
from windtunnel.domain.entities import Kind, Subject
from windtunnel.domain.errors import ConflictError
from windtunnel.domain.experiments import OPEN_STATUSES, Experiment, ExperimentStatus
from windtunnel.domain.permissions import Action
from windtunnel.domain.viewers import Viewer
from windtunnel.operations.announce import announce_experiments, wake_conductor
from windtunnel.operations.audit_trail import record
from windtunnel.operations.experiment_log import announce_experiment, current
from windtunnel.operations.permit import permit, permitted_transaction
from windtunnel.operations.services import Services
from windtunnel.storage import experiment_changes


async def cancel_experiment(services: Services, viewer: Viewer, experiment_id: str) -> Experiment:
    """The experiment, CANCELLED, also when it was before.

    Raises ForbiddenError, NotFoundError, ConflictError when it came to its own end already.
    """
    subject = Subject(Kind.EXPERIMENT, experiment_id)
    home, tenant_id = services.home, viewer.tenant_id
    await permit(services, viewer, Action.CANCEL_EXPERIMENT, subject)
    async with permitted_transaction(home, viewer, Action.CANCEL_EXPERIMENT, subject):
        changed = await experiment_changes.cancelled(home.store, tenant_id, experiment_id)
        if changed is not None:
            await record(home, viewer, tenant_id, AuditAction.EXPERIMENT_CANCELLED, subject)
    if changed is None:
        return _cancelled_before(await current(home, tenant_id, experiment_id))
    experiment, event = changed
    await announce_experiment(home.bus, event)
    await wake_conductor(home.bus, experiment_id)
    await announce_experiments(home.bus)  # the tenant may run one more
    return experiment


def _cancelled_before(experiment: Experiment) -> Experiment:
    if experiment.status is ExperimentStatus.CANCELLED:
        return experiment
    raise ConflictError(
        f"The experiment is already over ({experiment.status}).",
        current=experiment.status.value,
        allowed=sorted(status.value for status in OPEN_STATUSES),
    )
