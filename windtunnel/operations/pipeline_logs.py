"""What the pipeline tells, as logs that can be followed: of one deployment, of the review queue, of production."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import orjson

from windtunnel.domain.deployments import DeploymentEvent, DeploymentStatus
from windtunnel.domain.reviews import QueueChange, QueueEvent
from windtunnel.domain.rollbacks import ProductionEvent, ProductionEventKind
from windtunnel.operations.announce import packed
from windtunnel.storage import deployment_events, tenant_logs
from windtunnel.storage.store import Store
from windtunnel.streams.bus import Bus
from windtunnel.streams.log import Log

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def deployment_channel(deployment_id: str) -> str:
    """Where it is announced what happened to a deployment."""
    return f"deployment:{deployment_id}"


def queue_channel(tenant_id: str) -> str:
    """Where it is announced how a tenant's review queue moved."""
    return f"reviews:{tenant_id}"


def production_channel(tenant_id: str) -> str:
    """Where it is announced what happened to a tenant's production."""
    return f"production:{tenant_id}"


def deployment_log(store: Store, tenant_id: str, deployment_id: str) -> Log[DeploymentEvent]:
    """What happens to a deployment."""

    async def read(after: int, limit: int) -> Sequence[DeploymentEvent]:
        return await deployment_events.read(store, tenant_id, deployment_id, after, limit)

    def decode(message: str) -> Sequence[DeploymentEvent]:
        return [
            DeploymentEvent(deployment_id, seq, _moment(at_ms), DeploymentStatus(status), *told)
            for seq, at_ms, status, *told in orjson.loads(message)
        ]

    return Log(deployment_channel(deployment_id), read, decode)


def queue_log(store: Store, tenant_id: str) -> Log[QueueEvent]:
    """How a tenant's review queue moves."""

    async def read(after: int, limit: int) -> Sequence[QueueEvent]:
        return await tenant_logs.read_queue(store, tenant_id, after, limit)

    def decode(message: str) -> Sequence[QueueEvent]:
        return [
            QueueEvent(seq, _moment(at_ms), QueueChange(change), review_id)
            for seq, at_ms, change, review_id in orjson.loads(message)
        ]

    return Log(queue_channel(tenant_id), read, decode)


def production_log(store: Store, tenant_id: str) -> Log[ProductionEvent]:
    """What happens to a tenant's production."""

    async def read(after: int, limit: int) -> Sequence[ProductionEvent]:
        return await tenant_logs.read_production(store, tenant_id, after, limit)

    def decode(message: str) -> Sequence[ProductionEvent]:
        return [
            ProductionEvent(seq, _moment(at_ms), ProductionEventKind(kind), *about)
            for seq, at_ms, kind, *about in orjson.loads(message)
        ]

    return Log(production_channel(tenant_id), read, decode)


async def announce_deployment(bus: Bus, event: DeploymentEvent) -> None:
    """Tell followers of a deployment of this event, which is stored by now; `bus` is the one at home."""
    row = (event.seq, _ms(event.at), event.status.value, event.step, event.message, event.actor_id, event.progress)
    await bus.publish(deployment_channel(event.deployment_id), packed([row]))


async def announce_queue(bus: Bus, tenant_id: str, event: QueueEvent) -> None:
    """Tell followers of the review queue of this move, which is stored by now."""
    row = (event.seq, _ms(event.at), event.change.value, event.review_id)
    await bus.publish(queue_channel(tenant_id), packed([row]))


async def announce_production(bus: Bus, tenant_id: str, event: ProductionEvent) -> None:
    """Tell followers of production of this event, which is stored by now."""
    row = (event.seq, _ms(event.at), event.kind.value, event.agent_id, event.version_id, event.previous_id)
    await bus.publish(production_channel(tenant_id), packed([row]))


def _moment(at_ms: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=at_ms)


def _ms(at: datetime) -> int:
    return (at - _EPOCH) // _MILLISECOND
