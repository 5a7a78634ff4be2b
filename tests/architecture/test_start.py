"""A command starts without what it does not use: `package build` in a script does not wait for a server's libraries."""

import subprocess
import sys

from tests.processes import ROOT

HEAVY = ("agents", "asyncpg", "cyclonedx", "graphql", "httpx", "numpy", "openai", "piccolo", "redis", "strawberry")
OURS = ("app.wiring", "resolvers", "schema", "windtunnel.operations", "windtunnel.storage", "windtunnel.streams")


def test_the_command_line_brings_no_server_with_it() -> None:
    told = "import app.cli, sys; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", told], check=True, capture_output=True, text=True, cwd=ROOT
    ).stdout.split()
    assert "typer" in loaded
    assert [name for name in (*HEAVY, *OURS) if name in loaded] == []
