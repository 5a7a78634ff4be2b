"""The same world made by bubblewrap, for hosts that grant it what they do not grant us."""

import os
import signal

from windtunnel.sandbox.launch.namespaces import AGENT
from windtunnel.sandbox.launch.plan import WITHIN_BUBBLEWRAP, Plan

_FIRST = b'"child-pid":'


def start(plan: Plan) -> tuple[int, int]:
    """Start bubblewrap, and the launcher anew inside of it: its pid, and that of the first process inside.

    Raises OSError when it cannot be started, or does not get as far as that.
    """
    told, tell = os.pipe()
    child = os.fork()
    if child == 0:
        _become(plan, tell)
    os.close(tell)
    said = b""
    while part := os.read(told, 4096):
        said += part
        if b"}" in said:
            break
    os.close(told)
    if _FIRST not in said:
        os.waitpid(child, 0)
        raise OSError(0, said.decode("utf-8", "replace") or "it has said why on stderr")
    return child, int(said.partition(_FIRST)[2].split()[0].strip(b",}"))


def _become(plan: Plan, tell: int) -> None:
    try:
        handed = os.memfd_create("plan", 0)
        os.write(handed, Plan(**{**vars(plan), "namespaces": WITHIN_BUBBLEWRAP}).to_bytes())
        os.lseek(handed, 0, os.SEEK_SET)
        os.set_inheritable(plan.record, True)
        os.set_inheritable(tell, True)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        os.execve(plan.bubblewrap, [*_arguments(plan, tell), str(handed)], {})
    except OSError as error:
        os.write(tell, str(error.strerror).encode())
    finally:
        os._exit(1)


def _arguments(plan: Plan, tell: int) -> list[str]:
    arguments = [
        plan.bubblewrap,
        *("--unshare-all", "--die-with-parent", "--as-pid-1", "--cap-drop", "ALL", "--hostname", "sandbox"),
        *("--uid", str(AGENT), "--gid", str(AGENT), "--info-fd", str(tell)),
        *("--proc", "/proc", "--dev", "/dev"),
        *("--size", str(plan.disk_bytes // 4096 * 4096 + 4096), "--perms", "0700", "--tmpfs", plan.scratch),
    ]
    for path in plan.readable:
        arguments += ["--ro-bind", path, path]
    return [*arguments, "--remount-ro", "/", "--chdir", "/", "--", *plan.interpreter]
