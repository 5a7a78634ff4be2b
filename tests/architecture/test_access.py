"""Whose rows, by whose leave, on which record: what storage and operations must never leave out."""

import ast
import inspect
import typing
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

import windtunnel.operations
import windtunnel.storage
from tests.walks.shape import restricted_entries
from windtunnel.domain.permissions import ROUTES, Action
from windtunnel.storage.privileged import STATEMENTS
from windtunnel.storage.store import Store

OF_NO_TENANT = {
    "tenants.ensure_demo": "makes the tenant, then speaks for it",
    "events.insert_after": "is given the row of the simulation",
    "deployment_events.insert_event": "is given the row of the deployment",
    "experiment_changes._told": "is given the row of the experiment",
    "audit_reading._check": "looks at the revision of the database",
    "sizes.bytes_of": "measures a database that is a tenant's as a whole",
    "identity.identity_of": "tells a database from all others",
    "environment_databases.databases_beside": "looks at what kind of database it is",
    "environment_turns.lock_work": "locks a database that is a tenant's as a whole",
}
UNRECORDED = {
    "claiming_runs": "begins what is on record as asked for, and will be as ended",
    "clean_up": "forgets experiments with their environment, whose deletion goes on record",
    "conduct_experiment": "begins what is on record as asked for, and will be as ended",
    "deploy": "takes steps of what is on record as begun, and will be as ended",
    "experiment_parts": "stores steps of what is on record as asked for, and will be as ended",
    "idempotent": "runs what others change and record",
    "mark_notifications_read": "what somebody has read is theirs alone",
    "notify": "tells of what others have recorded",
    "places": "is where others change and record",
    "tend_deployment": "begins what is on record as asked for, and will be as ended",
    "tend_review": "reminds people of what is on record as begun",
}


def test_every_storage_function_speaks_for_a_tenant_or_is_privileged() -> None:
    loose = [
        name
        for name, function in _storage_functions()
        if name not in OF_NO_TENANT and not _names_a_tenant(function) and not _is_privileged(function)
    ]
    assert loose == [], "take tenant_id, or make it a privileged statement"


def test_exemptions_are_needed() -> None:
    functions = dict(_storage_functions())
    assert all(not _names_a_tenant(functions[name]) for name in OF_NO_TENANT)
    assert {name for name, tree in _operations() if _changes(tree) and not _records(tree)} >= UNRECORDED.keys()


def test_every_privileged_statement_is_used() -> None:
    sources = "".join(
        path.read_text("utf-8") for path in _folder(windtunnel.storage).glob("*.py") if path.name != "privileged.py"
    )
    constants = {
        name: value
        for name, value in vars(import_module("windtunnel.storage.privileged")).items()
        if value in STATEMENTS
    }
    assert len(constants) == len(STATEMENTS)
    assert [name for name in constants if f"{name}," not in sources and f"{name})" not in sources] == []


def test_every_operation_asks_for_permission_before_anything_else() -> None:
    asked: dict[str, str] = {}
    for name, tree in _operations():
        for function in ast.walk(tree):
            if isinstance(function, ast.AsyncFunctionDef) and name != "permit":
                for place, statement in enumerate(function.body):
                    if action := _permitted(statement):
                        assert not _waits(function.body[:place]), f"{name}.{function.name} does something first"
                        assert action not in asked, f"{name} and {asked[action]} both are {action}"
                        asked[action] = name
    assert asked.keys() == {action.name for action in Action}


def test_whoever_acts_is_asked_for_again_when_their_turn_has_come() -> None:
    """What needs a role and is a mutation, or a route, acts in `permitted_transaction`: itself, or through `once`."""
    acting = {Action(entry.name) for entry in restricted_entries() if entry.operation == "mutation"} | ROUTES
    asked = {
        Action[action]
        for name, tree in _operations()
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and (action := _acted(call))
    }
    assert asked == acting


def test_no_operation_of_a_viewer_begins_a_transaction_by_itself() -> None:
    beginning = {
        name for name, tree in _operations() if {"transaction", "both"} & _called(tree) and "Viewer" in _names(tree)
    }
    assert beginning == {"permit"}, "use permitted_transaction: roles may be taken away while it waits"


def test_only_permit_decides() -> None:
    """Whoever asked `require` alone would leave no trace of a refusal."""
    deciding = [name for name, tree in _operations() if "require" in _called(tree)]
    assert deciding == ["permit"]


def test_every_operation_that_changes_something_records_it() -> None:
    silent = [name for name, tree in _operations() if _changes(tree) and not _records(tree) and name not in UNRECORDED]
    assert silent == [], "record it: windtunnel/operations/audit_trail.py"


def _storage_functions() -> Iterator[tuple[str, Callable[..., Any]]]:
    """Every function of the storage floor that is given the store, by `module.function`."""
    for module in iter_modules(windtunnel.storage.__path__):
        if module.ispkg:
            continue  # tables, and the migrations, which make them
        loaded = import_module(f"windtunnel.storage.{module.name}")
        for name, function in vars(loaded).items():
            function = inspect.unwrap(function) if callable(function) else function  # noqa: PLW2901
            own = inspect.isfunction(function) and function.__module__ == loaded.__name__
            if own and Store in _parameters(function).values():
                yield f"{module.name}.{name}", function


def _parameters(function: Callable[..., Any]) -> dict[str, Any]:
    return {name: hint for name, hint in typing.get_type_hints(function).items() if name != "return"}


def _names_a_tenant(function: Callable[..., Any]) -> bool:
    """By a parameter of this name, or by one whose values each belong to a tenant."""
    hints = _parameters(function)
    return "tenant_id" in hints or any(
        "tenant_id" in getattr(inner, "__annotations__", {})
        for hint in hints.values()
        for inner in (hint, *typing.get_args(hint))
    )


def _is_privileged(function: Callable[..., Any]) -> bool:
    source = inspect.getsource(function)
    return "store.privileged(" in source and "store.run(" not in source


def _operations() -> list[tuple[str, ast.Module]]:
    return [
        (path.stem, ast.parse(path.read_text("utf-8"))) for path in sorted(_folder(windtunnel.operations).glob("*.py"))
    ]


def _folder(package: Any) -> Path:
    return Path(package.__path__[0])


def _called(tree: ast.AST) -> set[str]:
    """The last words of whatever is called: `append` for `audit.append(...)`."""
    return {
        node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute | ast.Name)
    }


def _changes(tree: ast.Module) -> bool:
    return bool({"transaction", "permitted_transaction", "once"} & _called(tree))


def _records(tree: ast.Module) -> bool:
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names}
    return "record" in _called(tree) or ("audit" in imported and "append" in _called(tree))


def _permitted(statement: ast.stmt) -> str | None:
    """The name of the action that a statement `await permit(services, viewer, Action.X...)` asks for."""
    if not (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Await)):
        return None
    call = statement.value.value
    if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "permit":
        action = call.args[2]
        return action.attr if isinstance(action, ast.Attribute) else None
    return None


def _acted(call: ast.Call) -> str | None:
    """The name of the action for which a call acts: `permitted_transaction(..., Action.X)`, `Asked(Action.X, ...)`."""
    if not (isinstance(call.func, ast.Name) and call.func.id in {"permitted_transaction", "Asked"}):
        return None
    actions = [given.attr for given in call.args if isinstance(given, ast.Attribute) and _is_action(given.value)]
    return actions[0] if actions else None


def _is_action(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == "Action"


def _names(tree: ast.Module) -> set[str]:
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


def _waits(statements: list[ast.stmt]) -> bool:
    return any(
        isinstance(node, ast.Await | ast.AsyncWith | ast.AsyncFor) for line in statements for node in ast.walk(line)
    )
