"""A filter of system calls: no sockets, no mounts, no tracing, no namespaces, no IPC that outlives its process."""

import ctypes
import errno
import os

from windtunnel.sandbox.launch import kernel

_PR_SET_SECCOMP = 22
_MODE_FILTER = 2
_ALLOW = 0x7FFF_0000
_KILL = 0x8000_0000
_ERRNO = 0x0005_0000
_LOAD = 0x20
_IF_EQUAL = 0x15
_IF_AT_LEAST = 0x35
_IF_ANY_BIT = 0x45
_RETURN = 0x06
_AT_NUMBER = 0
_AT_ARCHITECTURE = 4
_AT_FIRST_ARGUMENT = 16
_X32 = 0x4000_0000
_NEW_NAMESPACES = (
    kernel.CLONE_NEWNS | kernel.CLONE_NEWCGROUP | kernel.CLONE_NEWUTS | kernel.CLONE_NEWIPC
    | kernel.CLONE_NEWUSER | kernel.CLONE_NEWPID | kernel.CLONE_NEWNET
)  # fmt: skip

_EVERYWHERE = (
    *range(425, 434),  # io_uring, which has sockets of its own; the new calls to mount
    438,  # pidfd_getfd
    440,  # process_madvise
    442,  # mount_setattr
    448,  # process_mrelease
)
_BY_NAME = {
    # name: (x86_64, the others)
    "socket": (41, 198),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "kcmp": (312, 272),
    "perf_event_open": (298, 241),
    "bpf": (321, 280),
    "userfaultfd": (323, 282),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "unshare": (272, 97),
    "setns": (308, 268),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "keyctl": (250, 219),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "shmget": (29, 194),
    "semget": (64, 190),
    "msgget": (68, 186),
    "mq_open": (240, 180),
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "reboot": (169, 142),
    "acct": (163, 89),
    "quotactl": (179, 60),
    "settimeofday": (164, 170),
    "clock_settime": (227, 112),
    "adjtimex": (159, 171),
    "syslog": (103, 116),
    "setpriority": (141, 140),
    "move_pages": (279, 239),
    "migrate_pages": (256, 238),
}
_ATTRIBUTES_WRITTEN = {
    "setxattr": (188, 5),
    "lsetxattr": (189, 6),
    "fsetxattr": (190, 7),
    "removexattr": (197, 14),
    "lremovexattr": (198, 15),
    "fremovexattr": (199, 16),
}
_ATTRIBUTES_CHANGED = {
    "fchmod": (91, 52),
    "fchmodat": (268, 53),
    "fchmodat2": (452, 452),
    "fchown": (93, 55),
    "fchownat": (260, 54),
    "utimensat": (280, 88),
}
_ATTRIBUTES_CHANGED_OF_OLD = (90, 92, 94, 132, 235, 261)  # chmod, chown, lchown, utime, utimes, futimesat
_CLONE = (56, 220)
_CLONE3 = 435
_PRLIMIT = (302, 261)
_ARCHITECTURES = {"x86_64": (0xC000_003E, 0), "aarch64": (0xC000_00B7, 1), "riscv64": (0xC000_00F3, 1)}


def available() -> bool:
    """Whether the numbers of this machine's system calls are known here."""
    return os.uname().machine in _ARCHITECTURES


def restrict(*, attributes: bool) -> None:
    """Filter the system calls of this process, and of all that it starts, for good. Raises OSError.

    What is filtered fails with EPERM, and `socket` with EACCES. `clone3`, whose arguments cannot be looked at, is
    answered as by a kernel without it; libraries then use `clone`. With `attributes`, modes, owners and times of files,
    which Landlock leaves to anybody with the right user, stay as they are, while who changes them hears of no error.
    """
    program = _program(*_ARCHITECTURES[os.uname().machine], attributes=attributes)
    code = (ctypes.c_char * len(program)).from_buffer_copy(program)

    class Program(ctypes.Structure):
        _fields_ = (("length", ctypes.c_ushort), ("code", ctypes.c_void_p))

    head = Program(len(program) // 8, ctypes.addressof(code))
    kernel.prctl("seccomp", _PR_SET_SECCOMP, _MODE_FILTER, ctypes.addressof(head))


def _program(architecture: int, column: int, *, attributes: bool) -> bytes:
    refused = _ERRNO | errno.EPERM
    lines = [
        (_LOAD, 0, 0, _AT_ARCHITECTURE),
        (_IF_EQUAL, 1, 0, architecture),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _AT_NUMBER),
    ]
    if column == 0:
        lines += [(_IF_AT_LEAST, 0, 1, _X32), (_RETURN, 0, 0, refused)]
    for name, numbers in _BY_NAME.items():
        lines += [
            (_IF_EQUAL, 0, 1, numbers[column]),
            (_RETURN, 0, 0, _ERRNO | errno.EACCES if name == "socket" else refused),
        ]
    for number in _EVERYWHERE:
        lines += [(_IF_EQUAL, 0, 1, number), (_RETURN, 0, 0, refused)]
    if attributes:
        for numbers in _ATTRIBUTES_WRITTEN.values():
            lines += [(_IF_EQUAL, 0, 1, numbers[column]), (_RETURN, 0, 0, refused)]
        changed = [numbers[column] for numbers in _ATTRIBUTES_CHANGED.values()]
        for number in (*changed, *(_ATTRIBUTES_CHANGED_OF_OLD if column == 0 else ())):
            lines += [(_IF_EQUAL, 0, 1, number), (_RETURN, 0, 0, _ERRNO)]
    lines += [(_IF_EQUAL, 0, 1, _CLONE3), (_RETURN, 0, 0, _ERRNO | errno.ENOSYS)]
    # namespaces by clone, and limits of other processes
    lines += [(_IF_EQUAL, 0, 3, _CLONE[column]), (_LOAD, 0, 0, _AT_FIRST_ARGUMENT)]
    lines += [(_IF_ANY_BIT, 0, 1, _NEW_NAMESPACES), (_RETURN, 0, 0, refused)]
    lines += [(_LOAD, 0, 0, _AT_NUMBER), (_IF_EQUAL, 0, 3, _PRLIMIT[column]), (_LOAD, 0, 0, _AT_FIRST_ARGUMENT)]
    lines += [(_IF_EQUAL, 1, 0, 0), (_RETURN, 0, 0, refused)]
    lines.append((_RETURN, 0, 0, _ALLOW))
    return b"".join(
        code.to_bytes(2, "little") + bytes((yes, no)) + word.to_bytes(4, "little") for code, yes, no, word in lines
    )
