"""The same world made by bubblewrap, for hosts that grant it what they do not grant us."""

import os

from windtunnel.sandbox.launch.namespaces import AGENT
from windtunnel.sandbox.launch.plan import WITHIN_BUBBLEWRAP, Plan


def become(plan: Plan) -> None:
    """Become bubblewrap, which starts the launcher anew, inside, as the first process. Raises OSError."""
    arguments = [
        plan.bubblewrap,
        *("--unshare-all", "--die-with-parent", "--as-pid-1", "--cap-drop", "ALL", "--hostname", "sandbox"),
        *("--uid", str(AGENT), "--gid", str(AGENT)),
        *("--proc", "/proc", "--dev", "/dev"),
        *("--size", str(plan.disk_bytes // 4096 * 4096 + 4096), "--perms", "0700", "--tmpfs", plan.scratch),
    ]
    for path in plan.readable:
        arguments += ["--ro-bind", path, path]
    arguments += ["--remount-ro", "/", "--chdir", "/", "--", *plan.interpreter]
    plan.namespaces = WITHIN_BUBBLEWRAP
    handed = os.memfd_create("plan", 0)
    os.write(handed, plan.to_bytes())
    os.lseek(handed, 0, os.SEEK_SET)
    os.set_inheritable(plan.record, True)
    os.execve(plan.bubblewrap, [*arguments, str(handed)], {})
