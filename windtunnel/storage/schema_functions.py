"""The functions with which workers make and remove the schemas of environments on PostgreSQL: narrow, and the owner's.

Making a schema and a role is more than any process of ours may do. So `migrate` installs these functions, which run as
the user who migrates, and lets workers call them. They take a namespace, and touch nothing but the role and the schema
that are called by it and marked as made here: a server may have many databases, and a database many of us.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from windtunnel.storage.privilege import PREFIX, Caller

NAME = "wte_"
"""What the names of schemas and roles begin with; the namespace follows."""

CONNECTIONS_MAX = 20
"""Of all processes together, in one environment."""

STATEMENT_TIMEOUT = "30s"
TEMPORARY_FILES = "256MB"
"""Where the owner is a superuser: nobody else may limit them."""


def mark_of_schema(home: str) -> str:
    """SQL for the comment on an environment's schema; `home` is SQL for the name of the schema that has its row."""
    return f"format('Windtunnel: an environment of schema %I', {home})"


def mark_of_role(home: str) -> str:
    """SQL for the comment on an environment's role; roles are those of the whole server."""
    return f"format('Windtunnel: an environment of schema %I in database %I', {home}, current_database())"


@dataclass(frozen=True, slots=True)
class OwnersFunction:
    """A function that runs as who migrates. In `body`, `{home}` is SQL for the name of the schema it is in."""

    name: str
    parameters: str
    returns: str
    body: str
    callers: Sequence[Caller] = ("worker",)

    @property
    def function(self) -> str:
        """The function's signature."""
        return f"{PREFIX}{self.name}({self.parameters})"

    def definition(self, home: str) -> str:
        """The statement that makes it."""
        return (
            f"CREATE FUNCTION {self.function} RETURNS {self.returns} LANGUAGE plpgsql VOLATILE SECURITY DEFINER"
            f" SET search_path = pg_catalog, pg_temp AS $owners${self.body.replace('{home}', home)}$owners$"
        )


_BEGIN = f"""
DECLARE
    name TEXT := '{NAME}' || namespace;
    role_mark TEXT := {mark_of_role("{home}")};
    schema_mark TEXT := {mark_of_schema("{home}")};
    role_id OID;
    schema_id OID;
    almighty BOOLEAN := (SELECT rolsuper FROM pg_roles WHERE rolname = current_user);
    allowing TEXT := CASE WHEN current_setting('server_version_num')::INTEGER >= 160000
        THEN ' WITH INHERIT TRUE, SET TRUE' ELSE '' END;
BEGIN
    IF namespace !~ '^[0-9a-f]{{16}}$' THEN
        RAISE EXCEPTION 'this is no namespace' USING ERRCODE = 'insufficient_privilege';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('{NAME}'), hashtext(namespace));
    SELECT oid INTO role_id FROM pg_roles WHERE rolname = name;
    SELECT oid INTO schema_id FROM pg_namespace WHERE nspname = name;
    IF role_id IS NOT NULL AND shobj_description(role_id, 'pg_authid') IS DISTINCT FROM role_mark THEN
        RAISE EXCEPTION 'the role % is not ours', name USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF schema_id IS NOT NULL AND obj_description(schema_id, 'pg_namespace') IS DISTINCT FROM schema_mark THEN
        RAISE EXCEPTION 'the schema % is not ours', name USING ERRCODE = 'insufficient_privilege';
    END IF;
"""  # noqa: S608 - of constants

_BECOME_MEMBER = """
    IF NOT almighty THEN
        EXECUTE format('GRANT %I TO %I', name, current_user) || allowing;
    END IF;
"""

# A database that is not open to all: its list of grants is one row, which two at once cannot change.
_ONE_BY_ONE = "PERFORM pg_advisory_xact_lock(hashtext('windtunnel'), hashtext('grants'));"

CREATE_ENVIRONMENT = OwnersFunction(
    name="create_environment",
    parameters="namespace text, verifier text",
    returns="void",
    body=f"""{_BEGIN}
    IF verifier !~ '^SCRAM-SHA-256[$][0-9]+:[A-Za-z0-9+/=]+[$][A-Za-z0-9+/=]+:[A-Za-z0-9+/=]+$' THEN
        RAISE EXCEPTION 'this is no verifier' USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF role_id IS NULL THEN
        EXECUTE format('CREATE ROLE %I NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT', name);
        EXECUTE format('COMMENT ON ROLE %I IS %L', name, role_mark);
    END IF;
    EXECUTE format('ALTER ROLE %I LOGIN CONNECTION LIMIT {CONNECTIONS_MAX} PASSWORD %L', name, verifier);
    EXECUTE format('ALTER ROLE %I SET search_path = %I', name, name);
    EXECUTE format('ALTER ROLE %I SET statement_timeout = %L', name, '{STATEMENT_TIMEOUT}');
    IF almighty THEN
        EXECUTE format('ALTER ROLE %I SET temp_file_limit = %L', name, '{TEMPORARY_FILES}');
    END IF;
    IF NOT has_database_privilege(name, current_database(), 'CONNECT') THEN
        {_ONE_BY_ONE}
        EXECUTE format('GRANT CONNECT ON DATABASE %I TO %I', current_database(), name);
    END IF;
    IF schema_id IS NULL THEN
        {_BECOME_MEMBER}
        EXECUTE format('CREATE SCHEMA %I AUTHORIZATION %I', name, name);
        EXECUTE format('COMMENT ON SCHEMA %I IS %L', name, schema_mark);
        IF NOT almighty THEN
            EXECUTE format('REVOKE %I FROM %I', name, current_user);
        END IF;
    END IF;
END
""",
)

CLOSE_ENVIRONMENT = OwnersFunction(
    name="close_environment",
    parameters="namespace text",
    returns="bigint",
    body=f"""{_BEGIN}
    IF role_id IS NULL THEN
        RETURN 0;
    END IF;
    {_BECOME_MEMBER}
    EXECUTE format('ALTER ROLE %I NOLOGIN', name);
    RETURN (SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usesysid = role_id);
END
""",  # noqa: S608
)

DROP_ENVIRONMENT = OwnersFunction(
    name="drop_environment",
    parameters="namespace text",
    returns="void",
    body=f"""{_BEGIN}
    IF role_id IS NOT NULL THEN
        {_BECOME_MEMBER}
    END IF;
    IF schema_id IS NOT NULL THEN
        EXECUTE format('DROP SCHEMA %I CASCADE', name);
    END IF;
    IF role_id IS NOT NULL THEN
        IF EXISTS (
            SELECT FROM pg_database, aclexplode(datacl) AS granted
            WHERE datname = current_database() AND granted.grantee = role_id
        ) THEN
            {_ONE_BY_ONE}
        END IF;
        EXECUTE format('DROP OWNED BY %I CASCADE', name);
        EXECUTE format('DROP ROLE %I', name);
    END IF;
END
""",
)

FUNCTIONS: tuple[OwnersFunction, ...] = (CREATE_ENVIRONMENT, CLOSE_ENVIRONMENT, DROP_ENVIRONMENT)
