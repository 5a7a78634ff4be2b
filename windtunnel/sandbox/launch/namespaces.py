"""A world of its own: new namespaces for this process, and a file system in which there is only what a run may see."""

import os
import stat

from windtunnel.sandbox.launch import kernel
from windtunnel.sandbox.launch.plan import Plan

AGENT = 1000
"""The user that code is inside, whoever that is outside."""
DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")

_KINDS = (
    kernel.CLONE_NEWUSER | kernel.CLONE_NEWNS | kernel.CLONE_NEWPID | kernel.CLONE_NEWNET
    | kernel.CLONE_NEWIPC | kernel.CLONE_NEWUTS | kernel.CLONE_NEWCGROUP
)  # fmt: skip
_ROOT = "/dev"
"""Where the new root is put together: any directory that every host has, and that is not needed once it is covered."""
_BLOCK = 4096


def enter(plan: Plan) -> None:
    """Leave the host's namespaces; the next child is the first process of the new ones. Raises OSError.

    With a `user` to become, that one is AGENT inside, and root is root without power outside; else AGENT is who we are.
    """
    if plan.user < 0:
        user, group = os.getuid(), os.getgid()
        kernel.unshare(_KINDS)
        _write("/proc/self/setgroups", "deny")
        _write("/proc/self/uid_map", f"{AGENT} {user} 1")
        _write("/proc/self/gid_map", f"{AGENT} {group} 1")
        return
    os.setgroups([])
    launcher = os.getpid()
    asked, ready = os.pipe()
    mapper = os.fork()
    if mapper == 0:
        os._exit(_map(launcher, asked, ready, plan.user))
    os.close(asked)
    kernel.unshare(_KINDS)
    os.write(ready, b"1")
    os.close(ready)
    if os.waitpid(mapper, 0)[1] != 0:
        raise PermissionError(1, "users cannot be mapped")


def _map(launcher: int, asked: int, ready: int, user: int) -> int:
    """In a process that stayed outside: map root and AGENT of the launcher's new namespace."""
    os.close(ready)
    if os.read(asked, 1) != b"1":
        return 1
    try:
        for kind in ("uid", "gid"):
            _write(f"/proc/{launcher}/{kind}_map", f"0 0 1\n{AGENT} {user} 1")
    except OSError:
        return 1
    return 0


def furnish(plan: Plan) -> None:
    """Make a file system of `readable`, the usual devices and an empty `scratch` of a fixed size. Raises OSError.

    To be called in the first process of the namespaces. Paths are inside as they are outside.
    """
    _forbid_more_users()
    sources = [(path, os.open(path, os.O_PATH | os.O_CLOEXEC)) for path in (*plan.readable, *DEVICES)]
    kernel.mount("", "/", "", kernel.MS_REC | kernel.MS_PRIVATE)
    mask = os.umask(0o022)
    kernel.mount("tmpfs", _ROOT, "tmpfs", kernel.MS_NOSUID | kernel.MS_NODEV, "size=1m,mode=0755")
    for path, source in sources:
        _bind(path, source)
    os.mkdir(f"{_ROOT}/proc")
    quiet = kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC
    kernel.mount("proc", f"{_ROOT}/proc", "proc", quiet, "subset=pid")
    os.makedirs(_ROOT + plan.scratch)
    blocks = plan.disk_bytes // _BLOCK + 1  # one more than allowed, so that who wants more is seen to
    size = f"size={blocks * _BLOCK},nr_inodes={plan.files + 2},mode=0700,uid={AGENT},gid={AGENT}"
    kernel.mount("tmpfs", _ROOT + plan.scratch, "tmpfs", quiet, size)
    for name, target in (("fd", "fd"), ("stdin", "fd/0"), ("stdout", "fd/1"), ("stderr", "fd/2")):
        os.symlink(f"/proc/self/{target}", f"{_ROOT}/dev/{name}")
    os.umask(mask)
    kernel.make_root(_ROOT)
    kernel.restrict_mount("/", kernel.ATTR_RDONLY | kernel.ATTR_NOSUID | kernel.ATTR_NODEV, recursive=False)
    kernel.set_host_name("sandbox")


def _bind(path: str, source: int) -> None:
    target = _ROOT + path
    directory = stat.S_ISDIR(os.fstat(source).st_mode)
    os.makedirs(target if directory else os.path.dirname(target), exist_ok=True)
    if not directory:
        os.close(os.open(target, os.O_CREAT | os.O_WRONLY))
    kernel.mount(f"/proc/self/fd/{source}", target, "", kernel.MS_BIND | kernel.MS_REC)
    attributes = kernel.ATTR_RDONLY | kernel.ATTR_NOSUID | (0 if path in DEVICES else kernel.ATTR_NODEV)
    kernel.restrict_mount(target, attributes, recursive=True)
    os.close(source)


def _forbid_more_users() -> None:
    """Nobody inside can make a further user namespace, in which they would be root."""
    _write("/proc/sys/user/max_user_namespaces", "0")


def _write(path: str, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)
