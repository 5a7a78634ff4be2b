"""Environments, what they are made of, and what happened to them."""

from typing import Any, cast

from piccolo.columns import BigInt, DoublePrecision, Integer, Text, Varchar
from piccolo.table import Table

from windtunnel.storage.bindings import BoundEngine

_DB = cast("Any", BoundEngine())


class Environments(Table, db=_DB, tablename="environments"):
    """Environments with their lease. The row stays when everything else is gone."""

    id = Varchar(36, primary_key=True)
    tenant_id = Varchar(36)
    slot = Integer()
    namespace = Varchar(16)
    name = Varchar(100)
    status = Varchar(16)
    created_ms = BigInt()
    created_by = Varchar(36)
    request_id = Varchar(100)
    provision_by_ms = BigInt()
    ready_ms = BigInt(null=True, default=None)
    expires_ms = BigInt()
    cpu = DoublePrecision()
    memory_mb = BigInt()
    storage_mb = BigInt()
    max_simulations = Integer()
    isolation = Text(null=True, default=None)
    production_revision = BigInt()
    snapshot = Text()
    snapshot_digest = Varchar(64)
    sealed_password = Text(null=True, default=None)
    failure = Text(null=True, default=None)
    warned_day_ms = BigInt(null=True, default=None)
    warned_hour_ms = BigInt(null=True, default=None)
    work_seq = BigInt()
    worked_seq = BigInt()
    simulations = BigInt()
    tokens = BigInt()
    cpu_ms = BigInt()
    storage_bytes = BigInt()
    ended_by = Varchar(8, null=True, default=None)
    cleanup_started_ms = BigInt(null=True, default=None)
    remaining = Text(null=True, default=None)
    deleted_ms = BigInt(null=True, default=None)
    receipt = Text(null=True, default=None)
    receipt_digest = Varchar(64, null=True, default=None)
    attempts = Integer()
    due_ms = BigInt()
    last_seq = BigInt()
    fence = BigInt()
    lease_owner = Varchar(64, null=True, default=None)
    lease_until_ms = BigInt(null=True, default=None)


class EnvironmentResources(Table, db=_DB, tablename="environment_resources"):
    """What environments are made of: noted before it is made, until it is seen to be absent."""

    environment_id = Varchar(36, primary_key=True)
    key = Varchar(100)
    tenant_id = Varchar(36)
    kind = Varchar(20)
    locator = Varchar(500)
    status = Varchar(10)
    created_ms = BigInt()
    removed_ms = BigInt(null=True, default=None)


class EnvironmentEvents(Table, db=_DB, tablename="environment_events"):
    """What happened to environments, numbered without gaps."""

    environment_id = Varchar(36, primary_key=True)
    seq = BigInt()
    tenant_id = Varchar(36)
    at_ms = BigInt()
    status = Varchar(16)
    step = Varchar(40)
    message = Text()
    progress = DoublePrecision()
