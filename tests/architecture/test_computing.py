"""What computes stays a function of its arguments, and loads what it may not need only when it is needed."""

import ast
import subprocess
import sys
from collections.abc import Iterator

from tests.processes import ROOT

SOURCES = ("app", "schema", "resolvers", "windtunnel")

IMPORTERS: dict[str, set[str]] = {
    "numba": {"windtunnel/simulation/kernel/compiling.py"},
    "llvmlite": set(),
    "distributed": {"windtunnel/experiments/cluster.py"},
    "dask": set(),
    "simpy": set(),
    "opentelemetry.proto": {path.relative_to(ROOT).as_posix() for path in (ROOT / "windtunnel/telemetry").glob("*.py")},
    "opentelemetry.sdk": set(),
}
"""Who may import what: libraries of an extra, or of the tests, or such as are slow to load."""

WORLD = {
    "asyncio",
    "concurrent",
    "datetime",
    "httpx",
    "logging",
    "multiprocessing",
    "os",
    "pathlib",
    "random",
    "redis",
    "resource",
    "secrets",
    "signal",
    "socket",
    "subprocess",
    "sys",
    "tempfile",
    "threading",
    "time",
    "uuid",
}
"""What tells or changes what is not among the arguments of a function."""

WORKERS = {
    "experiments/cluster.py": "work that is done on other machines",
    "experiments/cluster_crew.py": "work that is done on other machines, for a server",
    "experiments/conduct.py": "takes whoever does the work",
    "experiments/crew.py": "work that is done by processes",
    "experiments/elsewhere.py": "says with which sources and which Python",
    "experiments/hand.py": "is a process that does work",
    "simulation/engine.py": "prepares the kernel beside what goes on",
    "simulation/kernel/compiling.py": "looks at the sources that were compiled",
    "simulation/kernel/preparing.py": "compiles in a process of its own",
    "simulation/observability.py": "writes simulated moments as dates",
}
"""Modules of the engine and of experiments that are not about what comes out, but about who finds it out."""


def test_few_import_what_is_heavy_or_optional() -> None:
    found: dict[str, set[str]] = {library: set() for library in IMPORTERS}
    for package in SOURCES:
        for path in (ROOT / package).rglob("*.py"):
            text = path.read_text("utf-8")
            if any(library.partition(".")[0] in text for library in IMPORTERS):
                for name in _imported(ast.parse(text)):
                    for library in (library for library in IMPORTERS if f"{name}.".startswith(f"{library}.")):
                        found[library].add(path.relative_to(ROOT).as_posix())
    assert {library: paths - IMPORTERS[library] for library, paths in found.items() if paths - IMPORTERS[library]} == {}
    assert found["numba"] == IMPORTERS["numba"]
    assert found["distributed"] == IMPORTERS["distributed"]
    assert found["opentelemetry.proto"]


def test_a_server_starts_without_what_few_requests_need() -> None:
    """The kernel, a cluster and protobuf are loaded by whoever uses them first."""
    late = ("numba", "llvmlite", "distributed", "dask", "google.protobuf", "opentelemetry.proto", "agents")
    code = "import sys, app.commands.serving, app.commands.working, schema.root; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=ROOT
    ).stdout.split()
    assert "windtunnel.experiments.cluster" in loaded
    assert [name for name in late if name in loaded] == []


def test_what_comes_out_depends_on_arguments_alone() -> None:
    worldly = {}
    for package in ("simulation", "experiments"):
        for path in (ROOT / "windtunnel" / package).rglob("*.py"):
            tree = ast.parse(path.read_text("utf-8"))
            if found := {name.partition(".")[0] for name in _imported(tree)} & WORLD | _asked_of_the_world(tree):
                worldly[path.relative_to(ROOT / "windtunnel").as_posix()] = found
    assert worldly.keys() == WORKERS.keys(), worldly


def _imported(tree: ast.Module) -> Iterator[str]:
    """The modules that are imported, wherever in the file."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _asked_of_the_world(tree: ast.Module) -> set[str]:
    names = {node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    return names & {"open", "print", "input", "__import__", "exec", "eval"}
