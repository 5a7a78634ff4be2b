"""Experiments, what happened to them, and what is done of those that are not over."""

from typing import Any, cast

from piccolo.columns import BigInt, Bytea, DoublePrecision, Integer, Text, Varchar
from piccolo.table import Table

from windtunnel.storage.bindings import BoundEngine

_DB = cast("Any", BoundEngine())


class Experiments(Table, db=_DB, tablename="experiments"):
    """Experiments with their lease, and in the end with what they found."""

    id = Varchar(36, primary_key=True)
    tenant_id = Varchar(36)
    architecture_id = Varchar(36)
    environment_id = Varchar(36, null=True, default=None)
    package_digest = Varchar(64, null=True, default=None)
    status = Varchar(10)
    seed = BigInt()
    replications = BigInt()
    tasks = BigInt()
    arrival_rate = DoublePrecision()
    overrides = Text(null=True, default=None)
    variant = Text(null=True, default=None)
    progress = DoublePrecision()
    last_seq = BigInt()
    findings = Text(null=True, default=None)
    failure = Text(null=True, default=None)
    created_by = Varchar(36)
    request_id = Varchar(100)
    created_ms = BigInt()
    finished_ms = BigInt(null=True, default=None)
    fence = BigInt()
    lease_owner = Varchar(64, null=True, default=None)
    lease_until_ms = BigInt(null=True, default=None)


class ExperimentEvents(Table, db=_DB, tablename="experiment_events"):
    """What happened to experiments, numbered without gaps."""

    experiment_id = Varchar(36, primary_key=True)
    seq = BigInt()
    tenant_id = Varchar(36)
    at_ms = BigInt()
    status = Varchar(10)
    progress = DoublePrecision()


class ExperimentChunks(Table, db=_DB, tablename="experiment_chunks"):
    """Parts of experiments that are done; none of those that are over."""

    experiment_id = Varchar(36, primary_key=True)
    number = Integer()
    tenant_id = Varchar(36)
    data = Bytea()
