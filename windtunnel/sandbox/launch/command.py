"""The command itself: a child that gives up everything it does not need, and becomes what is to be run."""

import os
import signal

from windtunnel.sandbox.launch import kernel, landlock, rlimits, seccomp
from windtunnel.sandbox.launch.namespaces import AGENT, DEVICES
from windtunnel.sandbox.launch.plan import NONE, OWN, Plan

_NICENESS = 5
_FIRST_OF_OURS = 3
_DESCRIPTORS_MAX = 1 << 20


class CannotStartError(Exception):
    """The step of the start that failed, and why."""

    def __init__(self, step: str, reason: str) -> None:
        super().__init__(step, reason)
        self.step = step
        self.reason = reason


def start(plan: Plan) -> int:
    """The pid of the command, which is running by now, behind everything that the plan names.

    Raises CannotStartError; its step is "command" when the fault is that of the command.
    """
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(read)
        _become(plan, write)
    os.close(write)
    fault = b""
    while part := os.read(read, 4096):
        fault += part
    os.close(read)
    if fault:
        os.waitpid(pid, 0)
        step, _, reason = fault.decode("utf-8", "replace").partition("\n")
        raise CannotStartError(step, reason)
    return pid


def _become(plan: Plan, faults: int) -> None:
    step = "restrictions"
    try:
        _restrict(plan)
        step = "command"
        os.chdir(plan.cwd)
        os.dup2(faults, _FIRST_OF_OURS, inheritable=False)
        os.closerange(_FIRST_OF_OURS + 1, _DESCRIPTORS_MAX)
        faults = _FIRST_OF_OURS
        _execute(plan.command, dict(plan.variables))
    except BaseException as error:  # noqa: BLE001 - nothing may get away from here but by exec
        reason = str(error.strerror) if isinstance(error, OSError) else repr(error)
        os.write(faults, f"{step}\n{reason}".encode("utf-8", "replace"))
    finally:
        os._exit(127)


def _restrict(plan: Plan) -> None:
    os.setsid()
    if plan.cgroup >= 0:
        os.write(plan.cgroup, b"0")
    os.umask(0o077)
    os.nice(_NICENESS)
    if plan.namespaces == OWN and plan.user >= 0:
        os.setresgid(AGENT, AGENT, AGENT)
        os.setresuid(AGENT, AGENT, AGENT)
    if plan.namespaces == NONE:
        kernel.die_with_parent(signal.SIGKILL)
    rlimits.limit(plan)
    kernel.drop_privileges()
    if plan.landlock:
        readable = (*plan.readable, "/proc") if plan.namespaces != NONE else plan.readable
        landlock.restrict(readable, DEVICES, plan.scratch)
    for number in (signal.SIGPIPE, signal.SIGXFSZ):  # Python ignores them, and commands would, too
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    if plan.seccomp:
        seccomp.restrict(attributes=plan.namespaces == NONE)


def _execute(command: tuple[str, ...], variables: dict[str, str]) -> None:
    program = command[0]
    if "/" in program:
        os.execve(program, command, variables)
    fault: OSError = FileNotFoundError(2, "No such file or directory")
    for directory in variables["PATH"].split(":"):
        try:
            os.execve(f"{directory}/{program}", command, variables)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            fault = error
    raise fault
