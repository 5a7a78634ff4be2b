"""Tenants, their people, who may come in, and what they did."""

from typing import Any, cast

from piccolo.columns import BigInt, Boolean, Text, Varchar
from piccolo.table import Table

from windtunnel.storage.bindings import BoundEngine

_DB = cast("Any", BoundEngine())


class Tenants(Table, db=_DB, tablename="tenants"):
    """The units of isolation."""

    id = Varchar(36, primary_key=True)
    slug = Varchar(63)
    name = Varchar(200)
    created_ms = BigInt()
    minimum_isolation = Varchar(16)


class Users(Table, db=_DB, tablename="users"):
    """People; each belongs to one tenant."""

    id = Varchar(36, primary_key=True)
    tenant_id = Varchar(36)
    name = Varchar(200)
    email = Varchar(254, null=True, default=None)
    created_ms = BigInt()


class Memberships(Table, db=_DB, tablename="memberships"):
    """Which roles a person has in the tenant: a row for each."""

    tenant_id = Varchar(36)
    user_id = Varchar(36, primary_key=True)
    role = Varchar(20)


class Identities(Table, db=_DB, tablename="identities"):
    """How an OpenID provider names a person, and what it told of their roles last: when, and which."""

    tenant_id = Varchar(36)
    issuer = Varchar(500)
    subject = Varchar(255, primary_key=True)
    user_id = Varchar(36)
    told_ms = BigInt()
    told_roles = Text(null=True, default=None)
    created_ms = BigInt()


class ApiTokens(Table, db=_DB, tablename="api_tokens"):
    """Bearer tokens; the secret is known by its digest only. `roles` is a JSON list."""

    id = Varchar(36, primary_key=True)
    tenant_id = Varchar(36)
    user_id = Varchar(36)
    issued_by = Varchar(36)
    name = Varchar(100)
    prefix = Varchar(16)
    digest = Varchar(64)
    roles = Text()
    created_ms = BigInt()
    expires_ms = BigInt(null=True, default=None)
    last_used_ms = BigInt(null=True, default=None)
    revoked_ms = BigInt(null=True, default=None)
    issued_with = Varchar(36, null=True, default=None)


class AuditEntries(Table, db=_DB, tablename="audit_entries"):
    """One chain per tenant. Append-only."""

    tenant_id = Varchar(36)
    seq = BigInt(primary_key=True)
    id = Varchar(36)
    at_ms = BigInt()
    actor_id = Varchar(36, null=True, default=None)
    token_id = Varchar(36, null=True, default=None)
    action = Varchar(40)
    subject_kind = Varchar(40)
    subject_id = Varchar(100)
    reason = Text(null=True, default=None)
    request_id = Varchar(100)
    details = Text()
    previous_hash = Varchar(64)
    hash = Varchar(64)


class FeatureFlags(Table, db=_DB, tablename="feature_flags"):
    """What a tenant has switched; a flag without a row has its default. `pilots` is a JSON list."""

    tenant_id = Varchar(36)
    name = Varchar(64, primary_key=True)
    enabled = Boolean()
    stage = Varchar(16)
    pilots = Text()
    updated_ms = BigInt()
    updated_by = Varchar(36)


class IdempotencyKeys(Table, db=_DB, tablename="idempotency_keys"):
    """What a client's key has led to."""

    tenant_id = Varchar(36)
    user_id = Varchar(36)
    operation = Varchar(64)
    key = Varchar(200, primary_key=True)
    input_digest = Varchar(64)
    result_id = Varchar(36)
    created_ms = BigInt()
