"""A corpus of packages that are sound archives and mean harm inside, each with the finding that says why."""

import marshal
import pickle
import struct
from typing import Any

from tests.packages.inspections import with_files
from windtunnel.packages.codes import Code

ELF = b"\x7fELF\x02\x01\x01" + bytes(60)
WINDOWS = b"MZ" + bytes(58) + struct.pack("<L", 64) + b"PE\0\0"
BYTECODE = b"\xa7\r\r\n" + bytes(12) + marshal.dumps(compile("print(1)", "x", "exec"))


class _Runs:
    def __reduce__(self) -> tuple[Any, ...]:
        return print, ("never",)


PICKLED = pickle.dumps(_Runs())
OPEN = {"network": ["api.example.net:443"], "filesystem": ["/data"], "secrets": ["API_TOKEN"], "subprocess": True}


def code(text: str, **changes: Any) -> bytes:
    return with_files({"triage/evil.py": text}, **changes)


def locked(text: str, **changes: Any) -> bytes:
    runtime = {"python": ">=3.11", "lockfile": "requirements.lock", "hashes": True}
    return with_files({"requirements.lock": text}, runtime=runtime, **changes)


HASH = f"--hash=sha256:{'ab' * 32}"

FILES_OF_KINDS: dict[str, tuple[str, bytes, Code]] = {
    "pth": ("evil.pth", b"import os; os.system('x')\n", Code.FILE_STARTUP),
    "pth in capitals": ("deep/Evil.PTH", b"import os\n", Code.FILE_STARTUP),
    "sitecustomize": ("sitecustomize.py", b"print(1)\n", Code.FILE_STARTUP),
    "usercustomize package": ("usercustomize/__init__.py", b"", Code.FILE_STARTUP),
    "pyc": ("triage/main.pyc", BYTECODE, Code.FILE_BYTECODE),
    "pyc by another name": ("triage/data.bin", BYTECODE, Code.FILE_BYTECODE),
    "shared object": ("triage/fast.so", ELF, Code.FILE_NATIVE),
    "versioned shared object": ("lib/libz.so.1", b"anything", Code.FILE_NATIVE),
    "elf by another name": ("triage/table.csv", ELF, Code.FILE_NATIVE),
    "windows": ("triage/fast.pyd", WINDOWS, Code.FILE_NATIVE),
    "windows by another name": ("triage/readme.md", WINDOWS, Code.FILE_NATIVE),
    "web assembly": ("triage/fast.bin", b"\0asm\x01\0\0\0", Code.FILE_NATIVE),
    "pickle": ("triage/model.pkl", PICKLED, Code.FILE_SERIALISED),
    "pickle by another name": ("triage/model.json", PICKLED, Code.FILE_SERIALISED),
    "torch": ("triage/model.pt", b"anything", Code.FILE_SERIALISED),
    "wheel": ("libs/evil-1.0-py3-none-any.whl", b"PK\x03\x04" + bytes(40), Code.FILE_ARCHIVE),
    "archive by another name": ("triage/picture.png", b"PK\x03\x04" + bytes(40), Code.FILE_ARCHIVE),
    "gzip": ("triage/words.txt", b"\x1f\x8b\x08" + bytes(20), Code.FILE_ARCHIVE),
}

CODE: dict[str, tuple[str, Code, int | None]] = {
    "eval": ("x = 1\neval('x')\n", Code.CODE_DYNAMIC, 2),
    "exec of base64": ("import base64\nexec(base64.b64decode(b'cHJpbnQoMSk='))\n", Code.CODE_DYNAMIC, 2),
    "compile": ("compile('1', 'x', 'eval')\n", Code.CODE_DYNAMIC, 1),
    "alias of exec": ("run = exec\n", Code.CODE_DYNAMIC, 1),
    "builtins": ("import builtins\nbuiltins.exec('1')\n", Code.CODE_DYNAMIC, 2),
    "import by a computed name": ("n = 'so' + 'cket'\n__import__(n)\n", Code.CODE_DYNAMIC, 2),
    "importlib by a computed name": (
        "import importlib\nimportlib.import_module('so' + 'cket')\n", Code.CODE_DYNAMIC, 2,
    ),
    "attribute by a computed name": ("import os\ngetattr(os, 'sys' + 'tem')('ls')\n", Code.CODE_DYNAMIC, 2),
    "marshal": ("import marshal\n", Code.CODE_DYNAMIC, 1),
    "ctypes": ("import ctypes\n", Code.CODE_NATIVE_CALLS, 1),
    "socket": ("import socket\n", Code.NETWORK_UNDECLARED, 1),
    "socket by importlib": ("import importlib\nimportlib.import_module('socket')\n", Code.NETWORK_UNDECLARED, 2),
    "urllib": ("from urllib.request import urlopen\n", Code.NETWORK_UNDECLARED, 1),
    "http client in a function": ("def f():\n    import http.client\n", Code.NETWORK_UNDECLARED, 2),
    "streams": ("import asyncio\nasyncio.open_connection('a', 1)\n", Code.NETWORK_UNDECLARED, 2),
    "requests": ("import requests\n", Code.NETWORK_UNDECLARED, 1),
    "subprocess": ("import subprocess as s\n", Code.SUBPROCESS_UNDECLARED, 1),
    "system by another name": ("from os import system as s\ns('ls')\n", Code.SUBPROCESS_UNDECLARED, 1),
    "system of a found module": ("__import__('os').system('ls')\n", Code.SUBPROCESS_UNDECLARED, 1),
    "system of everything": ("from os import *\nsystem('ls')\n", Code.SUBPROCESS_UNDECLARED, 2),
    "system through getattr": ("import os\ngetattr(os, 'system')('ls')\n", Code.SUBPROCESS_UNDECLARED, 2),
    "system of an alias": ("import os\no = os\no.system('ls')\n", Code.SUBPROCESS_UNDECLARED, 3),
    "fork": ("import os\nos.fork()\n", Code.SUBPROCESS_UNDECLARED, 2),
    "writing": ("open('x', 'w')\n", Code.FILESYSTEM_UNDECLARED, 1),
    "writing in a mode": ("def f(m):\n    open('x', mode=m)\n", Code.FILESYSTEM_UNDECLARED, 2),
    "reading outside": ("open('/etc/passwd')\n", Code.FILESYSTEM_UNDECLARED, 1),
    "reading at home": ("from pathlib import Path\nPath('~/.ssh/id_rsa').read_text()\n", Code.FILESYSTEM_UNDECLARED, 2),
    "writing a path": ("def f(p):\n    p.write_text('x')\n", Code.FILESYSTEM_UNDECLARED, 2),
    "removing": ("import shutil\nshutil.rmtree('x')\n", Code.FILESYSTEM_UNDECLARED, 2),
    "a secret": ("import os\nos.environ['API_TOKEN']\n", Code.SECRET_UNDECLARED, 2),
    "a secret by getenv": ("from os import getenv as g\ng('DB_PASSWORD')\n", Code.SECRET_UNDECLARED, 2),
    "a library": ("import evil_library\n", Code.DEPENDENCY_UNLOCKED, 1),
    "no python": ("def f(:\n", Code.CODE_UNREADABLE, 1),
    "another encoding": ("# -*- coding: utf-7 -*-\nx = 1\n", Code.CODE_UNREADABLE, 1),
    "an unknown encoding": ("# coding: no-such-thing\n", Code.CODE_UNREADABLE, None),
    "hidden text": ("x = 1\ny = 'a\u202e b\u2066'\n", Code.CODE_HIDDEN_TEXT, 2),
}  # fmt: skip

ALLOWED_YET_EVIL: dict[str, tuple[str, Code, int]] = {
    "shell": ("import subprocess\nsubprocess.run('ls ' + 'x', shell=True)\n", Code.CODE_SHELL, 2),
    "silenced shell": ("import subprocess\nsubprocess.run('ls ' + 'x', shell=True)  # nosec\n", Code.CODE_SHELL, 2),
    "no certificates": (
        "import ssl\nssl._create_unverified_context()\n", Code.CODE_UNVERIFIED_TLS, 2,
    ),
}  # fmt: skip

LOCKS: dict[str, tuple[str, Code, int]] = {
    "no hash": ("a==1.0\n", Code.LOCK_UNHASHED, 1),
    "a weak hash": (f"a==1.0 --hash=md5:{'ab' * 16}\n", Code.LOCK_UNHASHED, 1),
    "a short hash": ("a==1.0 --hash=sha256:abcd\n", Code.LOCK_UNHASHED, 1),
    "a range": (f"a>=1.0 {HASH}\n", Code.LOCK_UNPINNED, 1),
    "a wildcard": (f"a==1.* {HASH}\n", Code.LOCK_UNPINNED, 1),
    "no version": (f"a {HASH}\n", Code.LOCK_UNPINNED, 1),
    "an index": (f"--extra-index-url https://evil.example.net\na==1.0 {HASH}\n", Code.LOCK_ELSEWHERE, 1),
    "another file": ("-r more.txt\n", Code.LOCK_ELSEWHERE, 1),
    "an address": (f"a @ https://evil.example.net/a.whl {HASH}\n", Code.LOCK_ELSEWHERE, 1),
    "a repository": ("git+https://evil.example.net/a\n", Code.LOCK_ELSEWHERE, 1),
    "a name twice": (f"some-name==1.0 {HASH}\nSome.Name==2.0 {HASH}\n", Code.LOCK_DUPLICATE, 2),
    "nonsense": ("a==1.0 {HASH}\n", Code.LOCK_UNREADABLE, 1),
    "split over lines": ("# first\na==1.0 \\\n    --hash=sha1:abcd\n", Code.LOCK_UNHASHED, 1),
}

SECRETS: dict[str, tuple[str, str]] = {
    "aws": ("triage/evil.py", 'KEY = "AKIA' + 'QWERTYUIOPASDFGH"'),
    "github": ("triage/notes.md", "use gh" + "p_a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"),
    "private key": ("keys/id", "-----BEGIN OPENSSH " + "PRIVATE KEY-----"),
    "slack": ("triage/evil.py", "HOOK = 'https://hooks.slack.com/services/T0AAAAAAA/" + "B0BBBBBBB/abcdefghijklmnop'"),
    "password": ("triage/evil.py", "password = 'correct-" + "horse-battery'"),
    "in an address": ("triage/settings.json", '{"url": "postgres://ada:s3cr3t-' + 'v4lue@db.internal/x"}'),
    "env": ("triage/.env", "STRIPE_TOKEN=abcdEF1234" + "56789"),
    "yaml": ("triage/settings.yaml", "db_password: hunter2" + "hunter2"),
    "allowed by a comment": ("triage/evil.py", "token = 'q9f8w7e6r5t4'  # pragma: allowlist " + "secret"),
    "behind a mark of utf-16": ("triage/notes.md", "\ufeff use gh" + "p_a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"),
    "in a very long line": ("triage/table.txt", "x," * 300_000 + "AKIA" + "QWERTYUIOPASDFGH"),
}
