"""How environments stand, and how well code is kept in there."""

from schema.enums.describe import describe
from windtunnel.domain.environments import EnvironmentStatus
from windtunnel.domain.isolation import IsolationLevel, ProbeOutcome

describe(
    EnvironmentStatus,
    "PROVISIONING, then READY, which may be PAUSED; EXPIRING or FAILED lead to DELETING by themselves, and so does "
    "whoever deletes it; DELETED is the end.",
    {
        "PROVISIONING": "It is being made.",
        "READY": "It can be used.",
        "PAUSED": "Nothing runs in it until it is resumed; its time goes on.",
        "FAILED": "It could not be made, or has lost what it is made of; see `failure`. It is deleted by itself.",
        "EXPIRING": "Its time is over: what runs in it is being stopped.",
        "DELETING": "What it is made of is being removed.",
        "DELETE_STUCK": "Something could not be removed; see `cleanup.remaining`. It is tried again by itself.",
        "DELETED": "Nothing of it remains, which was looked for; see `cleanup`.",
    },
)
describe(
    IsolationLevel,
    "How well code of packages is kept in, as it was found out on the host; the best first.",
    {
        "FULL": "Namespaces of its own, no network, and the kernel's rules for files.",
        "LANDLOCK": "The kernel's rules for files and TCP.",
        "LOGICAL": "Data and limits of its own only.",
    },
)
describe(
    ProbeOutcome,
    "What became of an attempt to get out, made from inside.",
    {
        "DENIED": "It did not succeed.",
        "ALLOWED": "It succeeded although it is said to be denied here: provisioning fails.",
        "NOT_ENFORCED": "It succeeded, and nothing that the host has is said to deny it.",
    },
)
