"""The enums of the domain, described for clients; `schema` imports this package before anything else."""

from schema.enums import (
    audit,
    calibrations,
    environments,
    errors,
    events,
    experiments,
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
    "calibrations",
    "environments",
    "errors",
    "events",
    "experiments",
    "failures",
    "flags",
    "networks",
    "notifications",
    "pipeline",
    "simulations",
    "viewers",
    "webhooks",
]
