"""Servers as child processes, which a test may kill and restart on the same port."""

import os
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
            ["/bin/sh", "-c", 'read _; kill -9 "$0"; rm -rf "$@"', str(self._process.pid), *map(str, self.written)],
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

    @property
    def written(self) -> Sequence[Path]:
        """The directories that it writes to."""
        return [self.directory]

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
        for directory in self.written:
            shutil.rmtree(directory, ignore_errors=True)

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
