"""The names by which Python code reaches beyond itself: modules, functions and methods of the standard library."""

import re

MODULES = {
    "network": frozenset(
        {
            "socket", "ssl", "http.client", "http.server", "urllib.request", "ftplib", "smtplib", "poplib", "imaplib",
            "telnetlib", "nntplib", "xmlrpc", "socketserver", "asyncore", "asynchat", "wsgiref", "webbrowser",
            "requests", "httpx", "httpcore", "aiohttp", "urllib3", "websockets", "websocket", "paramiko", "grpc",
            "boto3", "botocore", "openai", "anthropic", "google.cloud", "azure", "redis", "psycopg", "psycopg2",
            "asyncpg", "pymongo", "kafka", "pika", "dns", "scapy", "pycurl", "tornado", "flask", "fastapi", "uvicorn",
        }
    ),
    "subprocess": frozenset({"subprocess", "pty", "multiprocessing", "_posixsubprocess", "pexpect", "sh", "plumbum"}),
    "native": frozenset({"ctypes", "_ctypes", "cffi", "_cffi_backend"}),
    "dynamic": frozenset({"runpy", "zipimport", "imp", "code", "codeop", "marshal", "ensurepip", "pip"}),
}  # fmt: skip
"""Importing one of these is a use."""

_PROCESSES = ("system", "popen", "fork", "forkpty", "posix_spawn", "posix_spawnp", "startfile", "kill", "killpg")
_HOW = ("l", "le", "lp", "lpe", "v", "ve", "vp", "vpe")
_FILES = (
    "remove", "unlink", "rename", "renames", "replace", "mkdir", "makedirs", "rmdir", "removedirs", "chmod", "chown",
    "symlink", "link", "truncate", "mkfifo", "mknod", "open", "chroot", "lchown", "utime",
)  # fmt: skip

NAMES = {
    "network": frozenset(
        {
            "asyncio.open_connection", "asyncio.start_server", "asyncio.open_unix_connection",
            "asyncio.start_unix_server", "urllib.request", "http.client", "http.server", "_socket",
            "logging.handlers.SocketHandler", "logging.handlers.DatagramHandler", "logging.handlers.HTTPHandler",
            "logging.handlers.SysLogHandler", "logging.handlers.SMTPHandler",
        }
    ),
    "subprocess": frozenset(
        {
            "asyncio.create_subprocess_exec", "asyncio.create_subprocess_shell",
            "concurrent.futures.ProcessPoolExecutor", "concurrent.futures.process",
            *(f"os.{name}" for name in _PROCESSES), *(f"posix.{name}" for name in _PROCESSES),
            *(f"os.{kind}{how}" for kind in ("exec", "spawn") for how in _HOW),
        }
    ),
    "filesystem": frozenset({"shutil", *(f"os.{name}" for name in _FILES), *(f"posix.{name}" for name in _FILES)}),
    "dynamic": frozenset(
        {
            "exec", "eval", "compile", "__import__", "__builtins__", "__loader__", "breakpoint",
            "importlib.import_module", "importlib.__import__", "importlib.util.spec_from_file_location",
            "importlib.util.module_from_spec", "importlib.util.spec_from_loader", "importlib.machinery", "sys.modules",
            "sys.meta_path", "sys.path_hooks", "sys.settrace", "sys.setprofile", "types.FunctionType", "types.CodeType",
            "types.ModuleType", "pty.spawn", "pkgutil.get_loader", "pkgutil.find_loader",
        }
    ),
    "native": frozenset({"mmap.PROT_EXEC"}),
}  # fmt: skip
"""Referring to one of these, or to what is inside of it, is a use."""

WRITING_METHODS = frozenset(
    {"write_text", "write_bytes", "mkdir", "unlink", "rmdir", "touch", "symlink_to", "hardlink_to", "chmod", "rmtree"}
)
"""Methods that change files, whatever they are called on."""

OPENERS = frozenset({"open", "io.open", "codecs.open", "builtins.open"})
TAKE_PATHS = OPENERS | {
    "pathlib.Path", "pathlib.PosixPath", "os.listdir", "os.scandir", "os.walk", "os.stat", "os.chdir", "glob.glob",
    "glob.iglob", "sqlite3.connect", "os.path.expanduser", "linecache.getlines",
}  # fmt: skip
"""What looks at the file whose path is its first argument."""

ENVIRONS = frozenset({"os.environ", "os.environb", "posix.environ"})
ENVIRON_READERS = frozenset({"os.getenv", "os.getenvb", "os.environ.get", "os.environ.pop", "os.environ.setdefault"})
ORDINARY_VARIABLES = frozenset({"HOME", "LANG", "LC_ALL", "PATH", "PWD", "TERM", "TMPDIR", "TZ", "USER", "NO_COLOR"})
SECRET_NAME = re.compile(r"key|token|secret|passw|pwd|credential|auth|private|cert|dsn|conn", re.IGNORECASE)
"""How variables are called that hold a secret."""

IMPORTERS = frozenset({"importlib.import_module", "__import__", "importlib.__import__", "builtins.__import__"})
TELLING_MODULES = frozenset({"os", "sys", "socket", "subprocess", "builtins", "importlib", "posix", "shutil"})
"""Modules of which it matters by which name their parts go, and which parts are taken."""
