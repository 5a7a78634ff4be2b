"""The enums of the domain, described for clients; `schema` imports this package before anything else."""

from schema.enums import (
    audit,
    environments,
    errors,
    events,
    failures,
    flags,
    networks,
    notifications,
    pipeline,
    simulations,
    viewers,
    webhooks,
)

__all__ = [
    "audit",
    "environments",
    "errors",
    "events",
    "failures",
    "flags",
    "networks",
    "notifications",
    "pipeline",
    "simulations",
    "viewers",
    "webhooks",
]
