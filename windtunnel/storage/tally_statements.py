"""What operators watch of environments and deployments: counted over all tenants, without a word of what is in them."""

from collections.abc import Sequence

from windtunnel.storage.privilege import Privileged

STEP_BUCKETS_MS = (100, 250, 500, 1_000, 2_000, 5_000, 10_000, 30_000, 60_000, 120_000, 300_000)
"""How long steps took, in metrics: up to what provisioning an environment may take."""


def bucket(buckets: Sequence[int], column: str) -> str:
    """The smallest of the buckets that the column is in; NULL when it is in none."""
    return f"CASE {' '.join(f'WHEN {column} <= {most} THEN {most}' for most in buckets)} ELSE NULL END"


TALLY_STATUSES = Privileged(
    name="tally_statuses",
    parameters=(),
    returns="TABLE (kind text, status text, things bigint)",
    sql=(
        "SELECT 'environment' AS kind, status, COUNT(*) AS things FROM environments GROUP BY status"
        " UNION ALL SELECT 'deployment' AS kind, status, COUNT(*) AS things FROM deployments GROUP BY status"
        " UNION ALL SELECT 'version' AS kind, state AS status, COUNT(*) AS things FROM agent_versions GROUP BY state"
    ),
    callers=("api", "worker"),
)

TALLY_STEPS = Privileged(
    name="tally_steps",
    parameters=(),
    returns="TABLE (step text, up_to_ms bigint, times bigint, milliseconds bigint)",
    sql=(
        # What comes before the end of a validation is its submission, and before that of an attempt its beginning.
        "WITH steps AS (SELECT step, at_ms - LAG(at_ms) OVER (PARTITION BY deployment_id ORDER BY seq) AS took_ms"  # noqa: S608
        " FROM deployment_events WHERE step IN ('submit', 'review', 'invalid', 'deploying', 'retry', 'live', 'failed')"
        " UNION ALL SELECT 'ready' AS step, ready_ms - created_ms AS took_ms FROM environments"
        " WHERE ready_ms IS NOT NULL)"
        f" SELECT step, {bucket(STEP_BUCKETS_MS, 'took_ms')} AS up_to_ms, COUNT(*) AS times,"
        " CAST(SUM(took_ms) AS BIGINT) AS milliseconds FROM steps"
        " WHERE step IN ('review', 'invalid', 'live', 'failed', 'ready') AND took_ms IS NOT NULL GROUP BY 1, 2"
    ),
    callers=("api", "worker"),
)

LONGEST_WAITS = Privileged(
    name="longest_waits",
    parameters=(),
    returns="TABLE (queue text, waited_ms bigint)",
    sql=(
        "SELECT 'validation' AS queue, CAST({now} - MIN(created_ms) AS BIGINT) AS waited_ms FROM deployments"
        " WHERE status IN ('SUBMITTED', 'VALIDATING')"
        " UNION ALL SELECT 'review' AS queue, CAST({now} - MIN(queued_ms) AS BIGINT) AS waited_ms FROM reviews"
        " WHERE status IN ('QUEUED', 'IN_REVIEW') AND expires_ms > {now}"
        " UNION ALL SELECT 'deployment' AS queue, CAST({now} - MIN(approved_ms) AS BIGINT) AS waited_ms"
        " FROM deployments WHERE status = 'APPROVED' AND execute_by_ms > {now}"
        " UNION ALL SELECT 'environment' AS queue, CAST({now} - MIN(created_ms) AS BIGINT) AS waited_ms"
        " FROM environments WHERE status = 'PROVISIONING'"
    ),
    callers=("api", "worker"),
)
