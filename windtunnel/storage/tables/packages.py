"""Agent packages: whose they are, and what was signed."""

from typing import Any, cast

from piccolo.columns import BigInt, Text, Varchar
from piccolo.table import Table

from windtunnel.storage.bindings import BoundEngine

_DB = cast("Any", BoundEngine())


class Packages(Table, db=_DB, tablename="packages"):
    """Which tenant has uploaded which package; the bytes are kept by their digest, outside of the database."""

    tenant_id = Varchar(36)
    digest = Varchar(64, primary_key=True)
    size_bytes = BigInt()
    name = Varchar(127, null=True, default=None)
    version = Varchar(100, null=True, default=None)
    uploaded_by = Varchar(36)
    created_ms = BigInt()
    discarded_ms = BigInt(null=True, default=None)


class PackageSignatures(Table, db=_DB, tablename="package_signatures"):
    """The signature beside a package: a DSSE envelope as it was uploaded."""

    tenant_id = Varchar(36)
    digest = Varchar(64, primary_key=True)
    signature_digest = Varchar(64)
    envelope = Text()
    uploaded_by = Varchar(36)
    created_ms = BigInt()
