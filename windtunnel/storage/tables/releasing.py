"""What is in production, and how it changed."""

from typing import Any, cast

from piccolo.columns import BigInt, Text, Varchar
from piccolo.table import Table

from windtunnel.storage.bindings import BoundEngine

_DB = cast("Any", BoundEngine())


class Pointers(Table, db=_DB, tablename="pointers"):
    """What is in production, a row per agent."""

    tenant_id = Varchar(36)
    agent_id = Varchar(36, primary_key=True)
    fence = BigInt()
    release_seq = BigInt()
    version_id = Varchar(36, null=True, default=None)
    deployment_id = Varchar(36, null=True, default=None)
    package_digest = Varchar(64, null=True, default=None)
    live_since_ms = BigInt(null=True, default=None)


class Rollbacks(Table, db=_DB, tablename="rollbacks"):
    """What was taken back, with its lease."""

    id = Varchar(36, primary_key=True)
    tenant_id = Varchar(36)
    agent_id = Varchar(36)
    deployment_id = Varchar(36)
    from_version_id = Varchar(36)
    to_version_id = Varchar(36)
    status = Varchar(10)
    step = Varchar(40)
    reason = Text()
    requested_by = Varchar(36)
    request_id = Varchar(100)
    started_ms = BigInt()
    deadline_ms = BigInt()
    finished_ms = BigInt(null=True, default=None)
    duration_ms = BigInt(null=True, default=None)
    failure = Text(null=True, default=None)
    notified = Text()
    told = Text()
    pointer_fence = BigInt()
    fence = BigInt()
    lease_owner = Varchar(64, null=True, default=None)
    lease_until_ms = BigInt(null=True, default=None)


class ProductionEvents(Table, db=_DB, tablename="production_events"):
    """What happened to production, numbered in the tenant."""

    tenant_id = Varchar(36)
    seq = BigInt(primary_key=True)
    at_ms = BigInt()
    kind = Varchar(30)
    agent_id = Varchar(36, null=True, default=None)
    version_id = Varchar(36, null=True, default=None)
    previous_id = Varchar(36, null=True, default=None)


class ProductionFollowers(Table, db=_DB, tablename="production_followers"):
    """Who follows what happens to production."""

    id = Varchar(36, primary_key=True)
    tenant_id = Varchar(36)
    user_id = Varchar(36)
    agent_ids = Text(null=True, default=None)
    seen_ms = BigInt()
