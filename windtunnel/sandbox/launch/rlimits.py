"""Limits that the kernel holds for each process by itself: the outer bounds, a little beyond where runs are ended."""

import math
import os
import resource

from windtunnel.sandbox.launch.plan import NONE, Plan

OPEN_FILES = 256
_STACK_BYTES = 8 * 1024 * 1024
_DATA_BEYOND_BYTES = 32 * 1024 * 1024
"""Interpreter and stacks count as data; what is used of it is watched."""
_ADDRESSES_BEYOND_BYTES = 512 * 1024 * 1024
"""Code and reserved addresses use no memory; bounded all the same, since shared memory is no data."""
_DISK_BEYOND_BYTES = 4096


def limit(plan: Plan) -> None:
    """Bound this process and all that it starts; whoever has no privileges cannot raise these again."""
    cpu_s = math.ceil(plan.cpu_s) + 1
    bounds = {
        resource.RLIMIT_CORE: 1,  # with 0, a host that pipes cores to a program still does so
        resource.RLIMIT_CPU: cpu_s,
        resource.RLIMIT_DATA: plan.memory_bytes + _DATA_BEYOND_BYTES,
        resource.RLIMIT_AS: plan.memory_bytes + _ADDRESSES_BEYOND_BYTES,
        resource.RLIMIT_STACK: _STACK_BYTES,
        resource.RLIMIT_FSIZE: plan.disk_bytes + _DISK_BEYOND_BYTES,
        resource.RLIMIT_NOFILE: OPEN_FILES,
        resource.RLIMIT_MEMLOCK: 0,
        resource.RLIMIT_MSGQUEUE: 0,
        resource.RLIMIT_NICE: 0,
        resource.RLIMIT_RTPRIO: 0,
    }
    if plan.tasks:
        bounds[resource.RLIMIT_NPROC] = plan.tasks + (_tasks_of_user() if plan.namespaces == NONE else 0)
    for kind, bound in bounds.items():
        hard = resource.getrlimit(kind)[1]
        most = bound if hard == resource.RLIM_INFINITY else min(bound, hard)
        resource.setrlimit(kind, (most, most))


def _tasks_of_user() -> int:
    """How many tasks this user has by now: without namespaces, the kernel counts them together with ours."""
    user = os.getuid()
    tasks = 0
    for name in os.listdir("/proc"):
        try:
            if name.isdecimal() and os.stat(f"/proc/{name}").st_uid == user:
                tasks += len(os.listdir(f"/proc/{name}/task"))
        except OSError:  # it has ended since
            continue
    return tasks
