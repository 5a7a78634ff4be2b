"""Idempotency keys: the same key and input lead to the same result for 24 hours."""

from dataclasses import dataclass

from windtunnel.domain.errors import ConflictError, ErrorCode
from windtunnel.domain.policy import IDEMPOTENCY_WINDOW_MS
from windtunnel.storage.privileged import SWEEP_IDEMPOTENCY_KEYS
from windtunnel.storage.store import Store


@dataclass(frozen=True, slots=True)
class Use:
    """One use of a key, which belongs to one operation of one person; `input_digest` says what for."""

    tenant_id: str
    user_id: str
    operation: str
    key: str
    input_digest: str


async def recall(store: Store, use: Use) -> str | None:
    """The result that this key has led to, or None.

    Raises ConflictError (IDEMPOTENCY_MISMATCH) when it was used with another input. Call it inside the change's
    transaction, after `store.lock_tenant`: then two requests with one key cannot both find nothing.
    """
    rows = await store.of(use.tenant_id).fetch(
        "SELECT input_digest, result_id FROM idempotency_keys"
        " WHERE tenant_id = $1 AND user_id = $2 AND operation = $3 AND key = $4 AND created_ms > {now} - $5",
        use.tenant_id,
        use.user_id,
        use.operation,
        use.key,
        IDEMPOTENCY_WINDOW_MS,
    )
    if not rows:
        return None
    if rows[0]["input_digest"] != use.input_digest:
        raise _mismatch()
    result_id: str = rows[0]["result_id"]
    return result_id


async def remember(store: Store, use: Use, result_id: str) -> None:
    """Keep the result, inside the change's transaction. Raises ConflictError when the key is in use."""
    rows = await store.of(use.tenant_id).fetch(
        "INSERT INTO idempotency_keys (tenant_id, user_id, operation, key, input_digest, result_id, created_ms)"
        " VALUES ($1, $2, $3, $4, $5, $6, {now}) ON CONFLICT (tenant_id, user_id, operation, key) DO UPDATE"
        " SET input_digest = excluded.input_digest, result_id = excluded.result_id, created_ms = excluded.created_ms"
        " WHERE idempotency_keys.created_ms <= {now} - $7 RETURNING result_id",
        use.tenant_id,
        use.user_id,
        use.operation,
        use.key,
        use.input_digest,
        result_id,
        IDEMPOTENCY_WINDOW_MS,
    )
    if not rows:
        raise _mismatch()


async def sweep(store: Store, limit: int) -> int:
    """Forget at most `limit` keys, of all tenants, whose time is over; how many it were."""
    return len(await store.privileged(SWEEP_IDEMPOTENCY_KEYS, IDEMPOTENCY_WINDOW_MS, limit))


def _mismatch() -> ConflictError:
    return ConflictError(
        "This idempotency key was used within the last 24 hours for something else. Use a new one.",
        current="USED",
        code=ErrorCode.IDEMPOTENCY_MISMATCH,
        path=("input", "idempotency_key"),
    )
