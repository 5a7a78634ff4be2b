"""The launcher's own beginning: from the plan to the namespaces that it asks for, and on to the warden."""

import os
import signal
import sys

from windtunnel.sandbox.launch import bubblewrap, kernel, namespaces, warden
from windtunnel.sandbox.launch.crowd import Descendants, Inhabitants
from windtunnel.sandbox.launch.plan import BUBBLEWRAP, NONE, OWN, WITHIN_BUBBLEWRAP, Plan, read_plan
from windtunnel.sandbox.launch.record import note, started_at

_OUT_OF_MEMORY_FIRST = "1000"


def main() -> None:
    """Read the plan (from the file descriptor in the last argument, or from stdin) and carry it out."""
    signal.pthread_sigmask(signal.SIG_BLOCK, warden.SIGNALS)
    plan = read_plan(int(sys.argv[-1]) if sys.argv[-1].isdecimal() else 0)
    try:
        _carry_out(plan)
    except OSError as error:
        note(plan.record, "failed", plan.namespaces or "launcher", error.strerror or error)


def _carry_out(plan: Plan) -> None:
    if plan.namespaces == WITHIN_BUBBLEWRAP:
        kernel.be_opaque()
        warden.conduct(plan, Inhabitants())
        return
    # without a pid namespace, it is on us to end what we started before we go
    kernel.die_with_parent(warden.KILL if plan.namespaces == NONE else signal.SIGKILL)
    if os.getppid() != plan.parent:
        return
    note(plan.record, "launcher", os.getpid(), started_at(os.getpid()))
    _write("/proc/self/oom_score_adj", _OUT_OF_MEMORY_FIRST)
    if plan.namespaces == BUBBLEWRAP:
        child, first = bubblewrap.start(plan)
        kernel.be_opaque()
        note(plan.record, "first", first, started_at(first))
        warden.leave_streams()
        _pass_on(child, first)
    elif plan.namespaces == OWN:
        namespaces.enter(plan)
        _stay_outside(plan)
    else:
        kernel.adopt_orphans()
        kernel.be_opaque()
        warden.conduct(plan, Descendants())


def _stay_outside(plan: Plan) -> None:
    """Start the first process inside, and wait for its end."""
    kernel.die_with_parent(signal.SIGKILL)  # becoming another user has undone it
    go, tell = os.pipe()
    first = os.fork()
    if first == 0:
        os.close(tell)
        _live_inside(plan, go)
    os.close(go)
    kernel.be_opaque()
    note(plan.record, "first", first, started_at(first))
    warden.leave_streams()
    os.write(tell, b"1")  # from now on, this process sees the files of the inside, too
    os.close(tell)
    _pass_on(first, first)


def _pass_on(child: int, first: int) -> None:
    """Pass on what we are told from outside to the first process inside, until our child has ended."""
    while True:
        came = signal.sigwaitinfo(warden.SIGNALS)
        if came.si_signo != signal.SIGCHLD:
            try:
                os.kill(first, came.si_signo)
            except ProcessLookupError:  # it has just ended
                continue
        elif os.waitpid(child, os.WNOHANG)[0]:
            return


def _live_inside(plan: Plan, go: int) -> None:
    try:
        kernel.die_with_parent(signal.SIGKILL)
        if os.read(go, 1):  # else the launcher has ended before it could take us with it
            os.close(go)
            namespaces.furnish(plan)
            kernel.be_opaque()
            warden.conduct(plan, Inhabitants())
    except OSError as error:
        note(plan.record, "failed", plan.namespaces, error.strerror or error)
    except BaseException as error:  # noqa: BLE001 - nothing may get away from here
        note(plan.record, "failed", plan.namespaces, repr(error))
    finally:
        os._exit(0)


def _write(path: str, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)


if __name__ == "__main__":
    main()
