"""Calls into the Linux kernel that Python has no name for in every version."""

import ctypes
import os

CLONE_NEWNS = 0x0002_0000
CLONE_NEWCGROUP = 0x0200_0000
CLONE_NEWUTS = 0x0400_0000
CLONE_NEWIPC = 0x0800_0000
CLONE_NEWUSER = 0x1000_0000
CLONE_NEWPID = 0x2000_0000
CLONE_NEWNET = 0x4000_0000

MS_NOSUID = 2
MS_NODEV = 4
MS_NOEXEC = 8
MS_BIND = 4096
MS_REC = 16384
MS_PRIVATE = 1 << 18
MNT_DETACH = 2

ATTR_RDONLY = 1
ATTR_NOSUID = 2
ATTR_NODEV = 4

_AT_FDCWD = -100
_AT_RECURSIVE = 0x8000
_MOUNT_SETATTR = 442  # this number and Landlock's are the same on every architecture

_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_PR_CAPBSET_DROP = 24
_PR_SET_CHILD_SUBREAPER = 36
_PR_SET_NO_NEW_PRIVS = 38
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_CLEAR_ALL = 4
_CAPABILITY_VERSION_3 = 0x2008_0522
_CAPABILITIES_MAX = 64

_libc = ctypes.CDLL(None, use_errno=True)


def _checked(result: int, what: str) -> int:
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{what}: {os.strerror(code)}")
    return result


def syscall(what: str, number: int, *arguments: int | bytes | None) -> int:
    """The system call `number`, called `what` when it fails. Raises OSError."""
    words = [ctypes.c_long(word) if isinstance(word, int) else word for word in arguments]
    return _checked(int(_libc.syscall(ctypes.c_long(number), *words)), what)


def prctl(what: str, option: int, *arguments: int) -> None:
    """An option of this process, called `what` when it fails. Raises OSError."""
    words = [ctypes.c_ulong(word) for word in (*arguments, 0, 0, 0, 0)[:4]]
    _checked(int(_libc.prctl(option, *words)), what)


def die_with_parent(signal: int) -> None:
    """Get `signal` when the thread that started this process ends. Forgotten when the user of a process changes."""
    prctl("death signal", _PR_SET_PDEATHSIG, signal)


def be_opaque() -> None:
    """Let no process of the same user look into this one's memory or environment, and leave no core."""
    prctl("dumpable", _PR_SET_DUMPABLE, 0)


def adopt_orphans() -> None:
    """Become the parent of descendants whose own parent ends."""
    prctl("subreaper", _PR_SET_CHILD_SUBREAPER, 1)


def drop_privileges() -> None:
    """Give up every capability, for this process and all that it will execute, for good. Raises OSError."""
    for capability in range(_CAPABILITIES_MAX):
        try:
            prctl("bounding set", _PR_CAPBSET_DROP, capability)
        except OSError:  # beyond the last capability, or an ordinary user, who has none to drop
            break
    prctl("ambient capabilities", _PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL)
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    nothing = (ctypes.c_uint32 * 6)()
    _checked(int(_libc.capset(header, nothing)), "capabilities")
    prctl("no new privileges", _PR_SET_NO_NEW_PRIVS, 1)


def unshare(namespaces: int) -> None:
    """Leave the namespaces of these kinds for new ones. Raises OSError."""
    _checked(int(_libc.unshare(ctypes.c_int(namespaces))), "namespaces")


def mount(source: str, target: str, kind: str, flags: int, options: str = "") -> None:
    """Mount; `kind` is a file system or empty. Raises OSError."""
    words = [word.encode() if word else None for word in (source, target, kind)]
    data = options.encode() if options else None
    _checked(int(_libc.mount(*words, ctypes.c_ulong(flags), data)), f"mount of {kind or source}")


def restrict_mount(target: str, attributes: int, *, recursive: bool) -> None:
    """Add `attributes` (ATTR_...) to the mount at `target`, and to those below it if `recursive`. Raises OSError."""
    wanted = (ctypes.c_uint64 * 4)(attributes, 0, 0, 0)
    flags = _AT_RECURSIVE if recursive else 0
    syscall("mount_setattr", _MOUNT_SETATTR, _AT_FDCWD, target.encode(), flags, bytes(wanted), len(bytes(wanted)))


def make_root(directory: str) -> None:
    """Make the mount at `directory` the root of this mount namespace; what was there is gone. Raises OSError."""
    os.chdir(directory)
    _checked(int(_libc.pivot_root(b".", b".")), "pivot_root")
    _checked(int(_libc.umount2(b".", MNT_DETACH)), "umount")
    os.chdir("/")


def set_host_name(name: str) -> None:
    """The host name of this UTS namespace. Raises OSError."""
    _checked(int(_libc.sethostname(name.encode(), len(name))), "host name")
