"""What a pipeline never has, whatever happens at once: what to ask a PostgreSQL database for."""

TWICE = {
    "decided": """SELECT subject_id FROM audit_entries WHERE action IN
        ('DEPLOYMENT_APPROVED', 'DEPLOYMENT_REJECTED', 'DEPLOYMENT_WITHDRAWN', 'REVIEW_EXPIRED', 'DEPLOYMENT_INVALID')
        GROUP BY subject_id HAVING COUNT(*) > 1""",
    "recorded": """SELECT subject_id, action FROM audit_entries WHERE action IN
        ('DEPLOYMENT_SUBMITTED', 'REVIEW_OPENED', 'DEPLOYMENT_LAPSED', 'ROLLBACK_STARTED', 'ROLLBACK_COMPLETED',
         'ROLLBACK_FAILED', 'VERSION_PRUNED')
        GROUP BY subject_id, action HAVING COUNT(*) > 1""",
    "told": """SELECT user_id, kind, subject_id FROM notifications WHERE kind IN
        ('REVIEW_REQUESTED', 'DEPLOYMENT_APPROVED', 'DEPLOYMENT_REJECTED', 'REVIEW_EXPIRED', 'DEPLOYMENT_INVALID',
         'DEPLOYMENT_LAPSED', 'DEPLOYMENT_SUCCEEDED', 'ROLLBACK_STARTED', 'ROLLBACK_COMPLETED')
        GROUP BY user_id, kind, subject_id HAVING COUNT(*) > 1""",
    "voted": "SELECT review_id, person_id FROM review_votes GROUP BY 1, 2 HAVING COUNT(*) > 1",
    "live versions": "SELECT agent_id FROM agent_versions WHERE state = 'LIVE' GROUP BY 1 HAVING COUNT(*) > 1",
    "live deployments": "SELECT agent_id FROM deployments WHERE status = 'LIVE' GROUP BY 1 HAVING COUNT(*) > 1",
    "rolled back at once": """SELECT a.id FROM rollbacks AS a JOIN rollbacks AS b ON a.agent_id = b.agent_id
        AND a.id < b.id AND a.started_ms < b.finished_ms AND b.started_ms < a.finished_ms""",
    "in production and not live": """SELECT p.agent_id FROM pointers AS p
        LEFT JOIN agent_versions AS v ON v.id = p.version_id AND v.state = 'LIVE'
        LEFT JOIN deployments AS d ON d.id = p.deployment_id AND d.status = 'LIVE' AND d.version_id = v.id
        WHERE p.version_id IS NOT NULL AND (v.id IS NULL OR d.id IS NULL)""",
}
"""What there is none of, at any time."""
