"""The server that things are thrown at, and what must hold: it lives, answers, logs no defect and stays small."""

from collections import deque
from collections.abc import Mapping
from pathlib import Path

import httpx
import psutil

from app.encoding import decode_json
from tests.fuzz.wire import Told
from tests.processes import Api

GROWTH_MAX_BYTES = 256 * 1024 * 1024
DEFECTS = (
    "Traceback",
    '"exception"',
    '"level": "error"',
    '"level": "critical"',
    "was never retrieved",
    "was never awaited",
)
OUR_FAULT = {"INTERNAL", "UNAVAILABLE", "TIMEOUT"}
SCENARIO = "Customers write to our support. Sort each message by topic, look up the order and draft an answer."


def check(told: Told, asked: object) -> None:
    """Whatever was asked, it is not the server's fault."""
    assert told.status < 500, (asked, told)
    if told.content_type.startswith("application/"):
        found = decode_json(told.body) if told.body else None
        errors = found.get("errors", []) if isinstance(found, dict) else []
        codes = {error["extensions"]["code"] for error in errors}
        assert not codes & OUR_FAULT, (asked, told)
    elif "event-stream" in told.content_type:
        assert not any(code.encode() in told.body for code in OUR_FAULT), (asked, told)


class DefectLog(deque[str]):
    """The last lines, and every one that tells of a defect."""

    def __init__(self) -> None:
        super().__init__(maxlen=200)
        self.defects: list[str] = []

    def append(self, line: str) -> None:
        super().append(line)
        if any(mark in line for mark in DEFECTS):
            self.defects.append(line)


class Target:
    """A running product with something in it to find."""

    def __init__(self, directory: Path, settings: Mapping[str, str] | None = None) -> None:
        self._log = DefectLog()
        self._api = Api({"WINDTUNNEL_DATA_DIR": str(directory), "WINDTUNNEL_LOG_LEVEL": "warning", **(settings or {})})
        self._api.log = self._log
        self._baseline = 0
        self.ids: list[str] = []

    @property
    def url(self) -> str:
        return self._api.url

    @property
    def port(self) -> int:
        return self._api.port

    @property
    def websocket_url(self) -> str:
        return self._api.websocket_url

    def start(self) -> None:
        self._api.start()
        for seed in range(3):
            answer = httpx.post(f"{self.url}/simulate", json={"scenario": SCENARIO, "seed": seed}, timeout=60)
            self.ids.append(answer.json()["simulationId"])
        query = "{ scenarios { nodes { id simulations { nodes { id architecture { id } } } } } viewer { user { id } } }"
        self._collect(httpx.post(f"{self.url}/graphql", json={"query": query}).json()["data"])
        self._baseline = self._memory()

    def stop(self) -> None:
        self._api.stop()

    def check(self) -> None:
        """Fails when anything that must hold does not."""
        assert self._log.defects == []
        assert self._api.running, "\n".join(self._log)
        answer = httpx.post(f"{self.url}/graphql", json={"query": "{ health { status } }"}, timeout=120)
        assert answer.json()["data"] == {"health": {"status": "OK"}}
        assert httpx.get(f"{self.url}/readyz", timeout=120).status_code == 200
        grown = self._memory() - self._baseline
        assert grown < GROWTH_MAX_BYTES, f"the server has grown by {grown / 2**20:.0f} MiB"

    def _memory(self) -> int:
        memory: int = psutil.Process(self._api.pid).memory_info().rss
        return memory

    def _collect(self, found: object) -> None:
        if isinstance(found, dict):
            for name, value in found.items():
                if name == "id":
                    self.ids.append(value)
                else:
                    self._collect(value)
        elif isinstance(found, list):
            for value in found:
                self._collect(value)
