"""The product's own processes, as a test starts, kills and restarts them."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.children import Server

ROOT = Path(__file__).parents[1]


class WindtunnelProcess(Server):
    """`windtunnel ARGUMENTS` in a child process with `settings` in its environment."""

    def __init__(self, arguments: Sequence[str], settings: Mapping[str, str], ready: str) -> None:
        super().__init__()
        self.arguments = arguments
        self.settings = settings
        self.ready = ready

    def command(self) -> Sequence[str]:
        variables = [f"{name}={value}" for name, value in {**self.settings, "PYTHONPATH": str(ROOT)}.items()]
        start = "from app.cli import main; main()"
        return ["/usr/bin/env", *variables, sys.executable, "-u", "-c", start, *self.arguments]

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid


class Api(WindtunnelProcess):
    """`windtunnel serve`, on a free port of 127.0.0.1."""

    def __init__(self, settings: Mapping[str, str], *options: str) -> None:
        super().__init__(("serve", *options), settings, ready="Ready.")
        self.arguments = (*self.arguments, "--port", str(self.port))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def websocket_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/graphql"


class WorkerProcess(WindtunnelProcess):
    """`windtunnel worker`."""

    def __init__(self, settings: Mapping[str, str]) -> None:
        super().__init__(("worker",), settings, ready="Ready.")
