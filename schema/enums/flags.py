"""How far a feature has been rolled out."""

from schema.enums.describe import describe
from windtunnel.domain.flags import RolloutStage

describe(
    RolloutStage,
    "For whom a feature that is on is there; each stage holds the one before.",
    {
        "PILOT": "For work on the pilot agents.",
        "INTERNAL": "Also for operators and admins, on any agent.",
        "ALL": "For everybody.",
    },
)
