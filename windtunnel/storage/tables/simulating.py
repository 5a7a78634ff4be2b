"""Scenarios, what was planned for them, and what happened."""

from typing import Any, cast

from piccolo.columns import BigInt, DoublePrecision, Integer, Text, Varchar
from piccolo.table import Table

from windtunnel.storage.bindings import BoundEngine

_DB = cast("Any", BoundEngine())


class Scenarios(Table, db=_DB, tablename="scenarios"):
    """The users' words. `folded` is title and text in the form that searches compare."""

    id = Varchar(36, primary_key=True)
    tenant_id = Varchar(36)
    title = Varchar(80)
    text = Text()
    folded = Text()
    created_ms = BigInt()
    created_by = Varchar(36)


class Architectures(Table, db=_DB, tablename="architectures"):
    """Networks as canonical JSON. `changes` is what differs from `based_on`, a JSON list. Immutable."""

    id = Varchar(36, primary_key=True)
    tenant_id = Varchar(36)
    scenario_id = Varchar(36, null=True, default=None)
    digest = Varchar(64)
    body = Text()
    created_ms = BigInt()
    based_on = Varchar(36, null=True, default=None)
    changes = Text(default="[]")


class Simulations(Table, db=_DB, tablename="simulations"):
    """Simulations with their lease. The events are elsewhere."""

    id = Varchar(36, primary_key=True)
    tenant_id = Varchar(36)
    scenario_id = Varchar(36, null=True, default=None)
    architecture_id = Varchar(36, null=True, default=None)
    environment_id = Varchar(36, null=True, default=None)
    package_digest = Varchar(64, null=True, default=None)
    status = Varchar(16)
    seed = BigInt()
    pace = DoublePrecision()
    planner_mode = Varchar(16)
    failures = Varchar(16)
    inject_failures = Text()
    created_ms = BigInt()
    created_by = Varchar(36)
    started_ms = BigInt(null=True, default=None)
    finished_ms = BigInt(null=True, default=None)
    interpretation = Text(null=True, default=None)
    narrative = Text(null=True, default=None)
    error_code = Varchar(40, null=True, default=None)
    error_message = Text(null=True, default=None)
    error_stage = Varchar(16, null=True, default=None)
    last_seq = BigInt()
    story_from_seq = BigInt()
    fence = BigInt()
    lease_owner = Varchar(64, null=True, default=None)
    lease_until_ms = BigInt(null=True, default=None)
    exercise = Text(null=True, default=None)


class SimulationEvents(Table, db=_DB, tablename="simulation_events"):
    """What happened, numbered without gaps. Written in batches by `events.append` only."""

    simulation_id = Varchar(36, primary_key=True)
    seq = BigInt()
    tenant_id = Varchar(36)
    kind = Varchar(32)
    at_ms = BigInt()
    elapsed_ms = DoublePrecision()
    agent_key = Varchar(200, null=True, default=None)
    message = Text()
    body = Text()


class SimulationCommands(Table, db=_DB, tablename="simulation_commands"):
    """What users did to a run under way. `step` is empty until the conductor has fixed it."""

    simulation_id = Varchar(36, primary_key=True)
    number = Integer()
    tenant_id = Varchar(36)
    mode = Text()
    target = Varchar(200, null=True, default=None)
    step = BigInt(null=True, default=None)
    created_ms = BigInt()
