"""The warden: starts the command, watches it with all that comes of it, and leaves when nothing of it is left."""

import os
import signal
import time

from windtunnel.sandbox.launch import crowd, watching
from windtunnel.sandbox.launch.command import CannotStartError, start
from windtunnel.sandbox.launch.plan import Plan
from windtunnel.sandbox.launch.record import note
from windtunnel.sandbox.launch.watching import Watch

STOP = signal.SIGTERM
"""Ends the run: what does not end by itself within the grace is killed."""
KILL = signal.SIGINT
"""Ends the run at once."""
SIGNALS = {signal.SIGCHLD, STOP, KILL}
"""Blocked in the launcher from its first moment: they are waited for."""


def conduct(plan: Plan, everyone: crowd.Crowd) -> None:
    """Run the command of the plan to its end, or to that of its limits, and note how it went.

    Returns when no process of it is left.
    """
    watch = Watch(plan)
    try:
        command = start(plan)
    except CannotStartError as failure:
        note(plan.record, "failed", failure.step, failure.reason)
        return
    leave_streams()
    status = _until_it_ends(plan, command, everyone, watch)
    crowd.end(everyone)
    watch.conclude()
    used = (f"{watch.cpu_s:.3f}", watch.memory_bytes, f"{watch.wall_s:.3f}", watch.disk_bytes, watch.processes)
    note(plan.record, "ended", status, watch.breach or "-", *used)


def _until_it_ends(plan: Plan, command: int, everyone: crowd.Crowd, watch: Watch) -> int:
    """The exit status of the command, negative for the signal that killed it."""
    kill_at = float("inf")
    while True:
        ended = crowd.bury()
        if command in ended:
            watch.look(everyone.members())  # what it leaves behind may be more than was seen before
            return os.waitstatus_to_exitcode(ended[command])
        had_breach = bool(watch.breach)
        watch.look(everyone.members())
        now = time.monotonic()
        if watch.breach and not had_breach:
            kill_at = now
        elif not watch.breach and watch.wall_s >= plan.wall_s:
            watch.breach = watching.WALL
            everyone.send(signal.SIGTERM)
            kill_at = min(kill_at, now + plan.grace_s)
        if now >= kill_at:
            everyone.send(signal.SIGKILL)
        came = signal.sigtimedwait(SIGNALS, plan.look_every_s)
        if came and came.si_signo == STOP:
            everyone.send(signal.SIGTERM)
            kill_at = min(kill_at, now + plan.grace_s)
        elif came and came.si_signo == KILL:
            kill_at = now


def leave_streams() -> None:
    """Let go of the run's streams, so that they end with the run."""
    nothing = os.open("/dev/null", os.O_RDWR)
    for stream in range(3):
        os.dup2(nothing, stream)
    os.close(nothing)
