"""Landlock: rules that a process lays upon itself, for files, TCP, signals and abstract sockets, unprivileged."""

import os

from windtunnel.sandbox.launch import kernel

_CREATE_RULESET = 444
_ADD_RULE = 445
_RESTRICT_SELF = 446
_WHICH_VERSION = 1
_RULE_PATH_BENEATH = 1

_EXECUTE = 1 << 0
_WRITE_FILE = 1 << 1
_READ_FILE = 1 << 2
_READ_DIR = 1 << 3
_REMOVE_DIR = 1 << 4
_REMOVE_FILE = 1 << 5
_MAKE_DIR = 1 << 7
_MAKE_REG = 1 << 8
_MAKE_SOCK = 1 << 9
_MAKE_FIFO = 1 << 10
_MAKE_SYM = 1 << 12
_REFER = 1 << 13
_TRUNCATE = 1 << 14

_READ = _EXECUTE | _READ_FILE | _READ_DIR
_OWN = (
    _READ_FILE | _READ_DIR | _WRITE_FILE | _REMOVE_DIR | _REMOVE_FILE | _MAKE_DIR | _MAKE_REG | _MAKE_SOCK
    | _MAKE_FIFO | _MAKE_SYM | _REFER | _TRUNCATE
)  # fmt: skip
_DEVICE = _READ_FILE | _WRITE_FILE | _TRUNCATE
_OF_FILES = _EXECUTE | _READ_FILE | _WRITE_FILE | _TRUNCATE

_FILE_RIGHTS = (13, 13, 14, 15, 15, 16)
"""How many rights of files each version of the ABI knows, from 0 on; what is not named in a ruleset is not denied."""
_TCP = 0b11
_SIGNALS_AND_ABSTRACT_SOCKETS = 0b11


def version() -> int:
    """The version of the kernel's ABI; 0 when it has none, or it is switched off."""
    try:
        return kernel.syscall("landlock", _CREATE_RULESET, None, 0, _WHICH_VERSION)
    except OSError:
        return 0


def restrict(readable: tuple[str, ...], devices: tuple[str, ...], own: str) -> None:
    """Deny this process, and all that it starts, everything but the paths named; for good. Raises OSError.

    `readable` may be read and executed, `devices` read and written, below `own` anything but executed.
    """
    abi = version()
    handled = (1 << _FILE_RIGHTS[min(abi, len(_FILE_RIGHTS) - 1)]) - 1
    words = [handled, _TCP if abi >= 4 else 0, _SIGNALS_AND_ABSTRACT_SOCKETS if abi >= 6 else 0]
    attributes = b"".join(word.to_bytes(8, "little") for word in words)
    size = 24 if abi >= 6 else 16 if abi >= 4 else 8
    ruleset = kernel.syscall("landlock", _CREATE_RULESET, attributes, size, 0)
    rules = [(path, _READ) for path in readable] + [(path, _DEVICE) for path in devices] + [(own, _OWN)]
    for path, rights in rules:
        _allow(ruleset, path, rights & handled)
    kernel.syscall("landlock", _RESTRICT_SELF, ruleset, 0)
    os.close(ruleset)


def _allow(ruleset: int, path: str, rights: int) -> None:
    try:
        beneath = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    if not os.path.isdir(path):
        rights &= _OF_FILES
    rule = rights.to_bytes(8, "little") + beneath.to_bytes(4, "little", signed=True)
    kernel.syscall("landlock", _ADD_RULE, ruleset, _RULE_PATH_BENEATH, rule, 0)
    os.close(beneath)
