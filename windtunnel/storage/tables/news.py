"""What people and other systems are told."""

from typing import Any, cast

from piccolo.columns import BigInt, Integer, Text, Varchar
from piccolo.table import Table

from windtunnel.storage.bindings import BoundEngine

_DB = cast("Any", BoundEngine())


class Inboxes(Table, db=_DB, tablename="inboxes"):
    """How far the numbers of a person's notifications have come."""

    tenant_id = Varchar(36)
    user_id = Varchar(36, primary_key=True)
    last_seq = BigInt()


class Notifications(Table, db=_DB, tablename="notifications"):
    """What a person is told, numbered without gaps."""

    id = Varchar(36, primary_key=True)
    tenant_id = Varchar(36)
    user_id = Varchar(36)
    seq = BigInt()
    kind = Varchar(40)
    title = Varchar(200)
    body = Text()
    subject_kind = Varchar(40)
    subject_id = Varchar(100)
    created_ms = BigInt()
    read_ms = BigInt(null=True, default=None)


class Webhooks(Table, db=_DB, tablename="webhooks"):
    """Where a tenant wants to be told. `kinds` is a JSON list; the secret is sealed."""

    id = Varchar(36, primary_key=True)
    tenant_id = Varchar(36)
    url = Varchar(2000)
    kinds = Text()
    sealed_secret = Text()
    created_ms = BigInt()
    created_by = Varchar(36)
    last_delivery_ms = BigInt(null=True, default=None)
    last_status = Integer(null=True, default=None)


class WebhookDeliveries(Table, db=_DB, tablename="webhook_deliveries"):
    """What is to be delivered, under a lease while it is tried."""

    id = Varchar(36, primary_key=True)
    tenant_id = Varchar(36)
    webhook_id = Varchar(36)
    kind = Varchar(40)
    body = Text()
    status = Varchar(16)
    attempts = Integer()
    created_ms = BigInt()
    due_ms = BigInt()
    finished_ms = BigInt(null=True, default=None)
    last_status = Integer(null=True, default=None)
    last_error = Text(null=True, default=None)
    fence = BigInt()
    lease_owner = Varchar(64, null=True, default=None)
    lease_until_ms = BigInt(null=True, default=None)
