"""What a file is, by its name and by how it begins: some kinds have no place in a package that people review."""

from collections.abc import Iterator
from pathlib import PurePosixPath

from windtunnel.packages.codes import Code

HEAD_BYTES = 512
"""How much of a file tells what it is."""

_BYTECODE = frozenset({".pyc", ".pyo"})
_NATIVE = frozenset({".so", ".pyd", ".dll", ".dylib", ".exe", ".o", ".a", ".node", ".wasm", ".msi", ".class"})
_SERIALISED = frozenset(
    {".pkl", ".pickle", ".p", ".dill", ".joblib", ".cloudpickle", ".pt", ".ckpt", ".marshal", ".npy", ".npz", ".h5"}
)
_ARCHIVES = frozenset(
    {".zip", ".whl", ".egg", ".jar", ".tar", ".tgz", ".gz", ".bz2", ".xz", ".zst", ".7z", ".rar", ".lzma", ".pyz"}
)
_SCRIPTS = frozenset({".sh", ".bash", ".zsh", ".bat", ".cmd", ".ps1", ".js", ".mjs", ".rb", ".pl", ".lua", ".php"})
_STARTUP = frozenset({"sitecustomize", "usercustomize"})
_SOURCES = frozenset({".py", ".pyw"})

_BY_SUFFIX = (
    (_BYTECODE, Code.FILE_BYTECODE, "It is compiled Python."),
    (_NATIVE, Code.FILE_NATIVE, "It is native code."),
    (_SERIALISED, Code.FILE_SERIALISED, "It holds serialised objects."),
    (_ARCHIVES, Code.FILE_ARCHIVE, "It is an archive in the archive."),
)
_BY_HEAD = (
    ((b"\x7fELF", b"\xcf\xfa\xed\xfe", b"\xce\xfa\xed\xfe", b"\xca\xfe\xba\xbe", b"\0asm"), Code.FILE_NATIVE),
    ((b"PK\x03\x04", b"PK\x05\x06", b"\x1f\x8b", b"BZh", b"\xfd7zXZ\0"), Code.FILE_ARCHIVE),
    ((b"\x28\xb5\x2f\xfd", b"7z\xbc\xaf\x27\x1c", b"Rar!"), Code.FILE_ARCHIVE),
)  # fmt: skip
_PICKLE_PROTOCOLS = tuple(bytes([0x80, protocol]) for protocol in range(2, 6))
_DOS_HEADER_AT = 0x3C
_SAID = {
    Code.FILE_NATIVE: "It begins like native code.",
    Code.FILE_ARCHIVE: "It begins like an archive or a compressed file.",
    Code.FILE_SERIALISED: "It begins like a pickle.",
    Code.FILE_BYTECODE: "It begins like compiled Python.",
}


def is_source(path: str, head: bytes) -> bool:
    """Whether Python would run it."""
    first = head.partition(b"\n")[0]
    return _suffix(path) in _SOURCES or (first.startswith(b"#!") and b"python" in first)


def kinds_of(path: str, head: bytes) -> Iterator[tuple[Code, str]]:
    """What speaks against a file that begins with `head` (HEAD_BYTES of it, or all), each with a sentence."""
    name, suffix = PurePosixPath(path.casefold()), _suffix(path)
    if suffix == ".pth" or any(part.partition(".")[0] in _STARTUP for part in name.parts):
        yield Code.FILE_STARTUP, "Python runs it whenever it starts."
    told = {code for suffixes, code, _ in _BY_SUFFIX if suffix in suffixes}
    yield from ((code, said) for suffixes, code, said in _BY_SUFFIX if suffix in suffixes)
    if ".so." in name.name and Code.FILE_NATIVE not in told:
        yield Code.FILE_NATIVE, "It is native code."
    elif (code := _looks_like(head)) is not None and code not in told:
        yield code, _SAID[code]
    if suffix in _SCRIPTS or (head.startswith(b"#!") and not is_source(path, head)):
        yield Code.FILE_SCRIPT, "It is a script."


def _looks_like(head: bytes) -> Code | None:
    for beginnings, code in _BY_HEAD:
        if head.startswith(beginnings):
            return code
    if head.startswith(_PICKLE_PROTOCOLS):
        return Code.FILE_SERIALISED
    if head[2:4] == b"\r\n" and head[:1] != b"\r" and b"\0" in head[:16]:
        return Code.FILE_BYTECODE
    if head.startswith(b"MZ") and _is_windows_program(head):
        return Code.FILE_NATIVE
    return None


def _is_windows_program(head: bytes) -> bool:
    at = int.from_bytes(head[_DOS_HEADER_AT : _DOS_HEADER_AT + 4], "little")
    return head[at : at + 2] in {b"PE", b""}


def _suffix(path: str) -> str:
    return PurePosixPath(path.casefold()).suffix
