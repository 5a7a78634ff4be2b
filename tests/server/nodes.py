"""JavaScript clients, run by Node: installed once from their lock file."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from app.graphiql.build import BuildError, node_environment, run

CLIENTS = Path(__file__).parent / "clients"
CACHE = Path(sys.prefix) / "windtunnel-test-clients"


class Node:
    """Runs the scripts of tests/server/clients."""

    def __init__(self, directory: Path, environment: dict[str, str]) -> None:
        self._directory = directory
        self._environment = environment

    def command(self, script: str, argument: dict[str, Any]) -> list[str]:
        """How to start a script that runs for long."""
        shutil.copyfile(CLIENTS / script, self._directory / script)
        node = shutil.which("node", path=self._environment["PATH"])
        assert node is not None
        return [node, str(self._directory / script), json.dumps(argument)]

    def run(self, script: str, argument: str | dict[str, Any]) -> Any:
        """What the script prints, as JSON. It fails the test when the script fails."""
        for source in CLIENTS.glob("*.mjs"):
            shutil.copy(source, self._directory)
        given = argument if isinstance(argument, str) else json.dumps(argument)
        node = shutil.which("node", path=self._environment["PATH"])
        assert node is not None
        done = subprocess.run(
            [node, script, given],
            cwd=self._directory,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)


def install() -> Node:
    """Node and the locked packages, kept beside the interpreter between sessions."""
    lock = (CLIENTS / "package-lock.json").read_bytes()
    directory = CACHE / hashlib.sha256(lock).hexdigest()[:12]
    try:
        environment = node_environment(CACHE / "node")
        if not (directory / ".installed").exists():
            directory.mkdir(parents=True, exist_ok=True)
            for name in ("package.json", "package-lock.json", ".npmrc"):
                shutil.copy(CLIENTS / name, directory / name)
            run("npm", "ci", cwd=directory, environment=environment)
            (directory / ".installed").touch()
    except BuildError as error:
        missing(f"no Node with the clients of {CLIENTS}: {error}")
    return Node(directory, environment)


def missing(reason: str) -> None:
    """Skip loudly; in continuous integration, fail."""
    if os.environ.get("CI", "").lower() in {"1", "true"}:
        pytest.fail(reason)
    pytest.skip(reason)
