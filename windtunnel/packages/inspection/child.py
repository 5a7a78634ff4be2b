"""The process that looks into packages: started by its path, once, and split for each package.

It reads its libraries before it sees any package. Each request on its standard input, a socket, brings two open files:
the package, and a pipe for what there is to say about it, as JSON. What looks at the package is a copy of the process
that has taken limits upon itself and ends with it; the first process never sees a byte of any package.
"""

import importlib
import json
import os
import resource
import select
import signal
import socket
import sys
from pathlib import Path

IDLE_S = 20.0
CPU_S = 60
WALL_S = 90
MEMORY_BYTES = 768 * 1024**2
DEFECT = 70


def main() -> None:
    """Serve until nobody asks any more."""
    sys.path.insert(0, str(Path(__file__).parents[3]))
    from windtunnel.packages.inspection.leaks import leaks_in
    from windtunnel.packages.inspection.looking import look

    del look  # only loaded, for all who come after
    list(leaks_in("", "password = 'loads-the-detectors'"))
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(fileno=0) as requests:
        if not select.select([requests], [], [], IDLE_S)[0]:  # there is time for what few packages need
            importlib.import_module("cyclonedx.validation.json")
        while True:
            asked, files, _, _ = socket.recv_fds(requests, 1, 2)
            if not asked:
                return
            if os.fork() == 0:
                requests.close()
                _answer(*files)
            for each in files:
                os.close(each)


def _answer(package: int, pipe: int) -> None:
    """In the copy: look into the package, and end."""
    from windtunnel.packages.inspection.looking import look

    status = DEFECT
    try:
        _limit()
        with os.fdopen(package, "rb") as file, os.fdopen(pipe, "wb") as answer:
            rows = [
                [each.code, each.passed, each.severity.value, each.path, each.line, each.detail, each.remediation]
                for each in look(file)
            ]
            answer.write(json.dumps(rows).encode())
        status = 0
    finally:
        os._exit(status)


def _limit() -> None:
    for what, most in (
        (resource.RLIMIT_CPU, CPU_S),
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 64),
    ):
        resource.setrlimit(what, (most, most))
    signal.alarm(WALL_S)


if __name__ == "__main__":
    main()
