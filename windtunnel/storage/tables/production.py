"""How production is configured."""

from typing import Any, cast

from piccolo.columns import BigInt, Boolean, Text, Varchar
from piccolo.table import Table

from windtunnel.storage.bindings import BoundEngine

_DB = cast("Any", BoundEngine())


class Production(Table, db=_DB, tablename="production"):
    """The number of the last change; no row before the first one."""

    tenant_id = Varchar(36, primary_key=True)
    revision = BigInt()
    updated_ms = BigInt()
    updated_by = Varchar(36)


class ProductionEntries(Table, db=_DB, tablename="production_entries"):
    """The entries: those in clear have a `value`, secrets a `sealed_value` and a `fingerprint`."""

    tenant_id = Varchar(36)
    key = Varchar(200, primary_key=True)
    secret = Boolean()
    value = Text(null=True, default=None)
    sealed_value = Text(null=True, default=None)
    fingerprint = Varchar(100, null=True, default=None)
    revision = BigInt()
    updated_ms = BigInt()
    updated_by = Varchar(36)
