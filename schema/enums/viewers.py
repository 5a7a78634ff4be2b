"""What people may do."""

from schema.enums.describe import describe
from windtunnel.domain.viewers import Role

describe(
    Role,
    "What a person may do in a tenant.",
    {
        "DEVELOPER": "Simulates, and submits agents.",
        "SECURITY_REVIEWER": "Decides on submissions, never on their own.",
        "OPERATOR": "Runs production: configures it and rolls back.",
        "AUDITOR": "Reads the audit log.",
        "ADMIN": "Manages the tenant: people, tokens, features.",
    },
)
