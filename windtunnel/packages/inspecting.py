"""Checking all of a package: its archive and manifest here, its files in a process with limits of its own."""

import asyncio
import json
import os
import socket
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from windtunnel.domain.failures import Severity
from windtunnel.domain.packages import PackageCheck
from windtunnel.packages.checking import CheckedPackage, check_package
from windtunnel.packages.codes import Code
from windtunnel.packages.findings import Findings

WALL_S = 100.0
"""Longer than the process that looks allows itself."""

_CHILD = Path(__file__).parent / "inspection" / "child.py"
_COMMAND = (sys.executable, "-I", "-B", "-X", "utf8", str(_CHILD))


class Inspector:
    """Looks into packages, any number at a time, by a process of its own that is started when first needed.

    Nothing of a package is run or imported, and none is seen by a process that lives on. To be closed in the end.
    """

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._requests: socket.socket | None = None
        self._starting = threading.Lock()

    def close(self) -> None:
        """End the process; it is started again for whoever asks afterwards."""
        if self._requests is not None:
            self._requests.close()
            self._requests = None
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def warm(self) -> socket.socket:
        """Start the process, which takes about a second to be ready: those who ask meanwhile wait for it."""
        with self._starting:
            if self._requests is None or self._process is None or self._process.poll() is not None:
                self.close()
                self._requests, theirs = socket.socketpair()
                with theirs:
                    self._process = subprocess.Popen(  # noqa: S603 - ours
                        _COMMAND,
                        stdin=theirs.fileno(),
                        stdout=subprocess.DEVNULL,
                        stderr=subprocess.DEVNULL,
                        cwd="/",
                        env={},
                        start_new_session=True,
                    )
            return self._requests

    async def inspect(self, file: BinaryIO, *, namespace: str | None = None) -> CheckedPackage:
        """Check the package in a file on disk; with a `namespace`, its name must be in that one.

        What takes more than its time or memory is a finding, too. Raises OSError.
        """
        checked = await asyncio.to_thread(check_package, file, namespace=namespace)
        if not checked.entries:
            return checked
        return replace(checked, checks=(*checked.checks, *await self._looked_into(file)))

    async def _looked_into(self, file: BinaryIO) -> tuple[PackageCheck, ...]:
        answer = await asyncio.to_thread(self._ask, file)
        try:
            async with asyncio.timeout(WALL_S):
                said = await _all_of(answer)
        except TimeoutError:
            said = b""
        try:
            return tuple(
                PackageCheck(code, passed, Severity(severity), path, line, detail, remediation)
                for code, passed, severity, path, line, detail, remediation in json.loads(said)
            )
        except ValueError:
            findings = Findings()
            findings.add(Code.CHECK_FAILED, "Its files could not be looked into within the limits of time and memory.")
            return findings.checks

    def _ask(self, file: BinaryIO) -> int:
        """Hand the file over; the end of the pipe to read the answer from. A process that has died is replaced once."""
        answer, pipe = os.pipe()
        try:
            try:
                socket.send_fds(self.warm(), [b"?"], [file.fileno(), pipe])
            except OSError:
                self.close()
                socket.send_fds(self.warm(), [b"?"], [file.fileno(), pipe])
        except OSError:
            os.close(answer)
            raise
        finally:
            os.close(pipe)
        return answer


async def _all_of(descriptor: int) -> bytes:
    """What comes out of a pipe until its end; the pipe is closed then."""
    reader = asyncio.StreamReader()
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(descriptor, "rb")
    )
    try:
        return await reader.read()
    finally:
        transport.close()
