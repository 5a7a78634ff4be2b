"""What PostgreSQL's own catalogue says of this database's tables, roles and functions."""

from typing import Any

import asyncpg  # type: ignore[import-untyped]

OF_NO_TENANT = frozenset({"schema_revisions", "schema_privileges"})
"""Tables that hold nothing of anybody's: what the database is, and who may call what."""

PROCESSES = ("windtunnel_api", "windtunnel_worker", "windtunnel_server")
SYSTEM = "windtunnel_system"

_HERE = "current_schema()::regnamespace"


async def tables(owner: asyncpg.Connection) -> dict[str, str]:
    """Every table that is to be guarded, with the column that says whose a row is."""
    rows = await owner.fetch(
        f"SELECT relname FROM pg_class WHERE relkind IN ('r', 'p', 'f') AND relnamespace = {_HERE} ORDER BY relname"
    )
    return {
        row["relname"]: "id" if row["relname"] == "tenants" else "tenant_id"
        for row in rows
        if row["relname"] not in OF_NO_TENANT
    }


async def unguarded(owner: asyncpg.Connection) -> list[str]:
    """Tables whose rows are not guarded against everybody, and relations that show rows past the guard."""
    rows = await owner.fetch(
        "SELECT relname, relkind::text AS kind, relrowsecurity AND relforcerowsecurity AS guarded FROM pg_class"
        f" WHERE relkind IN ('r', 'p', 'f', 'v', 'm') AND relnamespace = {_HERE} ORDER BY relname"
    )
    return [
        row["relname"]
        for row in rows
        if row["relname"] not in OF_NO_TENANT and (row["kind"] in {"f", "v", "m"} or not row["guarded"])
    ]


async def policies(owner: asyncpg.Connection) -> dict[str, list[tuple[str, list[str], str, str | None]]]:
    """By table: who its policies are for, what they let be seen, and what they let be written."""
    rows = await owner.fetch(
        "SELECT c.relname, p.polpermissive, p.polcmd::text AS command,"
        " ARRAY(SELECT CASE WHEN role = 0 THEN 'public' ELSE role::regrole::text END FROM unnest(p.polroles) AS role)"
        " AS roles, pg_get_expr(p.polqual, p.polrelid) AS seen, pg_get_expr(p.polwithcheck, p.polrelid) AS written"
        f" FROM pg_policy AS p JOIN pg_class AS c ON c.oid = p.polrelid WHERE c.relnamespace = {_HERE}"
    )
    found: dict[str, list[tuple[str, list[str], str, str | None]]] = {}
    for row in rows:
        found.setdefault(row["relname"], []).append((row["command"], row["roles"], row["seen"], row["written"]))
    return found


async def powers(owner: asyncpg.Connection, role: str) -> dict[str, Any]:
    """What the role is, beside what it was granted."""
    row = await owner.fetchrow(
        "SELECT r.rolsuper, r.rolbypassrls, r.rolcreaterole, r.rolcreatedb, r.rolcanlogin,"
        " EXISTS (SELECT FROM pg_class AS c WHERE c.relowner = r.oid) AS owns,"
        " EXISTS (SELECT FROM pg_class AS c"
        f" WHERE c.relnamespace = {_HERE} AND pg_has_role(r.oid, c.relowner, 'MEMBER')) AS may_become_the_owner"
        " FROM pg_roles AS r WHERE r.rolname = $1",
        role,
    )
    return dict(row)


async def may_become(owner: asyncpg.Connection, role: str) -> set[str]:
    """The roles that it can act as, beside itself."""
    rows = await owner.fetch(
        "SELECT rolname FROM pg_roles WHERE rolname <> $1 AND pg_has_role($1::name, oid, 'MEMBER')", role
    )
    return {row["rolname"] for row in rows}


async def loose_references(owner: asyncpg.Connection) -> list[str]:
    """References to a table of tenants' rows that do not say which tenant: they could lead to another's row."""
    rows = await owner.fetch(
        "SELECT k.conrelid::regclass::text AS source, k.confrelid::regclass::text AS target, k.conname"
        f" FROM pg_constraint AS k WHERE k.contype = 'f' AND k.connamespace = {_HERE} AND NOT EXISTS ("
        " SELECT FROM unnest(k.conkey, k.confkey) AS pair (mine, theirs)"
        " JOIN pg_attribute AS m ON m.attrelid = k.conrelid AND m.attnum = pair.mine"
        " JOIN pg_attribute AS t ON t.attrelid = k.confrelid AND t.attnum = pair.theirs"
        " WHERE m.attname = 'tenant_id'"
        " AND t.attname = CASE k.confrelid::regclass::text WHEN 'tenants' THEN 'id' ELSE 'tenant_id' END)"
    )
    return [f"{row['source']} to {row['target']} ({row['conname']})" for row in rows]


async def unattached(owner: asyncpg.Connection) -> list[str]:
    """Tables of tenants' rows that neither refer to anything by tenant nor have the tenant in their primary key."""
    rows = await owner.fetch(
        "SELECT DISTINCT k.conrelid::regclass::text AS name FROM pg_constraint AS k JOIN pg_attribute AS a"
        " ON a.attrelid = k.conrelid AND a.attnum = ANY(k.conkey) AND a.attname = 'tenant_id' AND a.attnotnull"
        f" WHERE k.contype IN ('f', 'p') AND k.connamespace = {_HERE}"
    )
    attached = {row["name"] for row in rows}
    return [name for name in await tables(owner) if name != "tenants" and name not in attached]


async def elevated_functions(owner: asyncpg.Connection) -> dict[str, tuple[str, bool]]:
    """Functions that run as their owner, by signature: the owner, and whether everybody may call them."""
    rows = await owner.fetch(
        "SELECT p.oid::regprocedure::text AS signature, p.proowner::regrole::text AS owner,"
        " EXISTS (SELECT FROM aclexplode(COALESCE(p.proacl, acldefault('f', p.proowner))) AS acl"
        " WHERE acl.grantee = 0 AND acl.privilege_type = 'EXECUTE') AS public"
        f" FROM pg_proc AS p WHERE p.prosecdef AND p.pronamespace = {_HERE}"
    )
    return {row["signature"]: (row["owner"], row["public"]) for row in rows}


async def functions_for_everybody(owner: asyncpg.Connection) -> list[str]:
    """Functions of ours that every user of the database may call."""
    rows = await owner.fetch(
        "SELECT p.oid::regprocedure::text AS signature FROM pg_proc AS p"
        f" WHERE p.pronamespace = {_HERE} AND EXISTS ("
        " SELECT FROM aclexplode(COALESCE(p.proacl, acldefault('f', p.proowner))) AS acl"
        " WHERE acl.grantee = 0 AND acl.privilege_type = 'EXECUTE') ORDER BY 1"
    )
    return [row["signature"] for row in rows]
