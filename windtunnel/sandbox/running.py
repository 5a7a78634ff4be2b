"""One run: the launcher started, spoken to, waited for, and ended when it does not end by itself."""

import asyncio
import os
import subprocess
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from windtunnel.domain.confinement import Limit, Usage
from windtunnel.sandbox import records, sweeping
from windtunnel.sandbox.errors import SandboxError
from windtunnel.sandbox.interpreter import LAUNCHER
from windtunnel.sandbox.launch.plan import Plan
from windtunnel.sandbox.launch.record import note
from windtunnel.sandbox.launch.warden import KILL, STOP
from windtunnel.sandbox.outcome import Outcome
from windtunnel.sandbox.streams import Streams

_WARDEN_LATE_S = 5.0
"""The warden keeps time itself; only one that is dead or stopped by the host is later than this."""
_STREAMS_LATE_S = 1.0
_COMMAND_NOT_RUN = 127


OpenStreams = Callable[[bytes, int, Callable[[], None]], Streams]
"""Streams for a run that is given these bytes, and may give back so many; what is called if it gives more."""


async def carry_out(
    plan: Plan,
    record: Path,
    stdin: bytes,
    output_max_bytes: int,
    group: Path | None,
    *,
    closed: Callable[[], bool],
    open_streams: OpenStreams = Streams,
) -> Outcome:
    """Run the plan to its end, in the cgroup `group`. `record` is where to keep its record meanwhile.

    Nothing is run once it is `closed`. Cancelling it stops the run: what does not end within the grace is killed.
    Raises SandboxError if nothing was run.
    """
    with ExitStack() as ours:
        ours.callback(record.unlink, missing_ok=True)
        with ExitStack() as handed:
            plan.record = _on_record(record)
            handed.callback(os.close, plan.record)
            if closed():
                raise SandboxError("sandbox", "it is closed")
            if group:
                note(plan.record, "cgroup", group)
                plan.cgroup = os.open(group / "cgroup.procs", os.O_WRONLY | os.O_CLOEXEC)
                handed.callback(os.close, plan.cgroup)
            launcher = _Launcher()
            ours.callback(launcher.close)
            streams = open_streams(plan.to_bytes() + stdin, output_max_bytes, launcher.kill)
            ours.callback(streams.close)
            launcher.start(streams.theirs, [descriptor for descriptor in (plan.record, plan.cgroup) if descriptor >= 0])
        streams.flow()
        await _until_it_ends(launcher, plan, record)
        await streams.ended(_STREAMS_LATE_S)
        if launcher.failed:
            raise _launch_failure(records.Record(record), streams)
        return _outcome(records.Record(record), streams, flooded=streams.seen_bytes > output_max_bytes)


def _on_record(record: Path) -> int:
    try:
        return records.create(record)
    except FileNotFoundError:
        raise SandboxError("sandbox", "it is gone") from None


async def _until_it_ends(launcher: "_Launcher", plan: Plan, record: Path) -> None:
    try:
        await launcher.ended(plan.wall_s + plan.grace_s + _WARDEN_LATE_S)
    except asyncio.CancelledError:
        launcher.stop()
        await launcher.ended(plan.grace_s + _WARDEN_LATE_S)  # to be cancelled again, by who cannot wait
        raise
    finally:
        if launcher.destroy() < 0:
            await sweeping.until_gone(record)


class _Launcher:
    """The launcher's process: the warden itself, or what the warden dies with."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._pidfd = -1
        self._loop = asyncio.get_running_loop()
        self._ended = self._loop.create_future()

    @property
    def failed(self) -> bool:
        """Whether it gave up; when it is killed, the run has been ended from outside."""
        return self._process is not None and (self._process.returncode or 0) > 0

    def start(self, streams: Sequence[int], handed: Sequence[int]) -> None:
        """Start it with these streams, and the descriptors `handed` to it. Raises SandboxError."""
        stdin, stdout, stderr = streams
        try:
            self._process = subprocess.Popen(  # noqa: S603 - the launcher, with nothing of a caller in its arguments
                LAUNCHER,
                stdin=stdin,
                stdout=stdout,
                stderr=stderr,
                cwd="/",
                env={},
                pass_fds=handed,
                start_new_session=True,
            )
            self._pidfd = os.pidfd_open(self._process.pid)
        except OSError as error:
            raise SandboxError("launcher", error.strerror or str(error)) from None
        self._loop.add_reader(self._pidfd, self._over)

    async def ended(self, within_s: float) -> None:
        """Wait for its end, so long at most."""
        await asyncio.wait([self._ended], timeout=within_s)

    def stop(self) -> None:
        """Let it end the run, after the grace by force."""
        self._send(STOP)

    def kill(self) -> None:
        """Let it end the run at once."""
        self._send(KILL)

    def destroy(self) -> int:
        """End it if it has not ended, and with it, where there are namespaces, the run. Its exit status."""
        if self._process is None:
            return 0
        if self._process.returncode is None:
            self._process.kill()
        return self._process.wait()

    def close(self) -> None:
        """Leave nothing of it."""
        self.destroy()
        if self._pidfd >= 0:
            self._loop.remove_reader(self._pidfd)
            os.close(self._pidfd)
            self._pidfd = -1

    def _send(self, number: int) -> None:
        if self._process is not None:
            self._process.send_signal(number)

    def _over(self) -> None:
        if self._process is not None and self._process.poll() is not None and not self._ended.done():
            self._loop.remove_reader(self._pidfd)
            self._ended.set_result(None)


def _launch_failure(record: records.Record, streams: Streams) -> SandboxError:
    told = streams.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2]
    return record.failure() or SandboxError("launcher", told or "it ended without a reason")


def _outcome(record: records.Record, streams: Streams, *, flooded: bool) -> Outcome:
    failure = record.failure()
    if failure and failure.step != "command":
        raise failure
    if failure:
        told = f"The command cannot be run: {failure.reason}.\n".encode()
        return Outcome(_COMMAND_NOT_RUN, streams.stdout, streams.stderr + told, None, Usage())
    ending = record.ending()
    if ending is None:
        breach = Limit.OUTPUT if flooded else None
        return Outcome(None, streams.stdout, streams.stderr, breach, Usage(output_bytes=streams.seen_bytes))
    breach = ending.breach or (Limit.OUTPUT if flooded else None)
    if breach is None and ending.exit_status != 0 and _ran_out_of_memory(streams.stderr):
        breach = Limit.MEMORY
    usage = replace(ending.usage, output_bytes=streams.seen_bytes)
    return Outcome(ending.exit_status, streams.stdout, streams.stderr, breach, usage)


def _ran_out_of_memory(stderr: bytes) -> bool:
    """Whether Python was refused memory by the kernel: nobody else sees that."""
    return stderr.rstrip().rpartition(b"\n")[2].startswith(b"MemoryError")
