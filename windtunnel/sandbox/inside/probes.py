"""Twelve attempts to get out, made inside. What was tried comes by stdin, what came of it goes to stdout, as JSON.

Each answer is `[succeeded, detail]`; "sent" and "written" are believed only by who sees what arrives outside.
"""

import contextlib
import ctypes
import json
import os
import resource
import socket
import sys
from collections.abc import Callable, Iterable
from typing import Any

Answer = tuple[bool, str]

TIMEOUT_S = 1.0
PTRACE_SEIZE = 0x4206
CLONE_NEWNS_AND_NEWUSER = 0x1002_0000

library = ctypes.CDLL(None, use_errno=True)


def first_success(things: Iterable[Any], attempt: Callable[[Any], str | None]) -> Answer:
    """Try one thing after the other; what the first one that succeeds says, else why the last one failed."""
    detail = "There was nothing to try."
    for thing in things:
        try:
            said = attempt(thing)
        except OSError as error:
            detail = f"{error.strerror or type(error).__name__}."
        else:
            if said:
                return True, said
            detail = "Not what is outside."
    return False, detail


def read(path: str) -> str:
    """A byte of a file, or the names in a directory."""
    if os.path.isdir(path):
        os.listdir(path)
        return "A directory was listed."
    with open(path, "rb") as file:
        file.read(1)
    return "A file was read."


def write(path: str) -> str:
    """A new file, or nothing in one that is there."""
    if os.path.exists(path):
        os.truncate(path, 0)
        return "A file was emptied."
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY))
    return "A file was written."


def started(pid: int | str) -> int:
    """When a process started, in ticks."""
    with open(f"/proc/{pid}/stat", "rb") as file:
        return int(file.read().rpartition(b")")[2].split()[19])


def list_processes() -> Answer:
    """Look for a process that is older than this sandbox."""
    try:
        names = [name for name in os.listdir("/proc") if name.isdecimal()]
        ours = started(os.getppid())
        ages = []
        for name in names:
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                ages.append(started(name))
    except OSError as error:
        return False, f"{error.strerror}."
    older = sum(age < ours for age in ages)
    return older > 0, f"{older} processes of the host were seen." if older else "Only the sandbox's own were seen."


def is_other(pid: int, age: int) -> bool:
    """Whether what has this pid in here is known to be another process than the one that is meant."""
    try:
        return started(pid) != age
    except FileNotFoundError:
        return os.path.exists("/proc/self/stat")
    except OSError:
        return False


def read_environment(process: tuple[int, int]) -> str | None:
    """The variables of a process."""
    pid, age = process
    if age and is_other(pid, age):
        return None
    with open(f"/proc/{pid}/environ", "rb") as file:
        return "Variables were read." if file.read() else None


def signal(process: tuple[int, int]) -> str | None:
    """Signal 0: whether another one would arrive."""
    if is_other(*process):
        return None
    os.kill(process[0], 0)
    return "The server could be signalled."


def connect(address: list[Any]) -> str:
    """A TCP connection; with a word to wait for, only one that says it."""
    host, port, word = address
    with socket.create_connection((host, port), TIMEOUT_S) as connection:
        if word and connection.recv(64).decode() != word:
            raise OSError(0, "Something else answered")
    return "A connection was made."


def connect_here(address: list[str]) -> str:
    """A connection to a socket of the host, in a directory or (without one) abstract, that says a word."""
    directory, name, word = address
    if directory:
        os.chdir(directory)  # the path of a socket is short
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(TIMEOUT_S)
        connection.connect(name if directory else "\0" + name)
        if connection.recv(64).decode() != word:
            raise OSError(0, "Something else answered")
    return "A socket of the host was reached."


def send(address: list[Any]) -> str:
    """A datagram."""
    host, port, word = address
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(word.encode(), (host, port))
    return "A datagram was sent."


def bind(network: int) -> str | None:
    """A listening socket, unless this is known to be another network than `network`."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.bind(("0.0.0.0", 0))  # noqa: S104 - that is what is tried
        listener.listen(1)
    with contextlib.suppress(OSError):
        if os.stat("/proc/self/ns/net").st_ino != network:
            return None
    return "A port of the host was bound."


def done(result: int) -> bool:
    """That a call of the C library succeeded. Raises OSError when it did not."""
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return True


def raise_limit() -> bool:
    """A limit beyond the hard one."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard + 1, hard + 1))
    except ValueError:
        raise PermissionError(1, "Operation not permitted") from None
    return True


def become_root() -> bool:
    """Another user than one is."""
    if os.getuid() == 0:
        return False
    os.setuid(0)
    return True


def have_capabilities() -> bool:
    """Any that can be used."""
    held = (ctypes.c_uint32 * 6)()
    done(library.capget((ctypes.c_uint32 * 2)(0x2008_0522, 0), held))
    return bool(held[0] | held[3])


def trace_parent() -> bool:
    """Look into the process that watches this one."""
    return done(library.ptrace(PTRACE_SEIZE, os.getppid(), None, None))


def change_root() -> bool:
    """Another root directory."""
    os.chroot(".")
    return True


def mount() -> bool:
    """A file system of one's own."""
    return done(library.mount(b"tmpfs", os.environ["HOME"].encode(), b"tmpfs", 0, None))


def mount_as_another_user() -> bool:
    """The same, as root of a new user namespace."""
    return done(library.unshare(CLONE_NEWNS_AND_NEWUSER)) and mount()


WAYS = (
    *(raise_limit, become_root, have_capabilities, trace_parent, change_root, mount),
    mount_as_another_user,  # the last one: it changes the process
)


def gain(way: Callable[[], bool]) -> str | None:
    """One way to more privileges."""
    return f"Gained: {way.__name__.replace('_', ' ')}." if way() else None


def main() -> None:
    """Try everything."""
    targets = json.load(sys.stdin)
    server = tuple(targets["server"])
    answers = {
        "read-other-environment": first_success(targets["others"], read),
        "read-production": first_success(targets["production"], read),
        "write-outside": first_success(targets["outside"], write),
        "list-processes": list_processes(),
        "read-parent-environment": first_success([(os.getppid(), 0), server], read_environment),
        "signal-parent": first_success([server], signal),
        "reach-api": first_success(targets["api"], connect),
        "reach-address": first_success(targets["addresses"], connect),
        "send-datagram": first_success(targets["datagrams"], send),
        "bind-port": first_success([targets["network"]], bind),
        "reach-host-ipc": first_success(targets["sockets"], connect_here),
        "gain-privileges": first_success(WAYS, gain),
    }
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    main()
