"""Processes that make an environment and take it away, and are killed at one step after another.

    python -m tests.operations.dying DATABASE_URL DIRECTORY FIRST STEP

This process forks one after another: the first is killed with SIGKILL just before its FIRST-th step, the next just
before step FIRST + STEP, and so on, until one lives to the end. After each a rescuer, which is not killed, does what a
worker does that comes back when the lease is over, and looks at what it finds. A step is a statement at home, or a
change of the file system or the start of a program, in whatever thread.
"""

import asyncio
import json
import os
import re
import signal
import sys
from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path
from typing import Any

from tests.operations.care import LEASE_OVER, asked, left_of, now, tend_all, told
from tests.operations.world import demo, process
from windtunnel.domain.environments import EnvironmentStatus
from windtunnel.domain.pages import PageRequest
from windtunnel.operations.delete_environment import delete_environment
from windtunnel.operations.reap_environments import reap_environments
from windtunnel.operations.sandboxes import isolation_of
from windtunnel.operations.services import Services
from windtunnel.storage import environment_times, environments
from windtunnel.storage.engine import OpenTransaction

NAMED = re.compile("INSERT INTO deployment_events|UPDATE rollbacks SET st|subprocess.Popen")
ROOT = Path(__file__).parents[2]
CHANGES = frozenset({"os.mkdir", "os.rmdir", "os.remove", "os.rename", "sqlite3.connect", "subprocess.Popen"})


class Killer:
    """Kills this process just before the step with the given number, once it is armed."""

    def __init__(self, at: int) -> None:
        self._left = at
        self._armed = False

    def arm(self, services: Services) -> None:
        self._armed = True
        services.store.on_statement = self.step
        sys.addaudithook(lambda event, _: self.step(event) if event in CHANGES else None)

    def step(self, what: str) -> None:
        if self._armed:
            self._left -= 1
            if self._left <= 0:
                os.kill(os.getpid(), signal.SIGKILL)

    def disarm(self) -> None:
        self._armed = False


class KillerAtNames(Killer):
    """Kills right after a step that has a name was stored; a program that was started has a name, too.

    What is stored in a transaction is so once that is committed.
    """

    _stored_by: OpenTransaction[Any] | None = None

    def arm(self, services: Services) -> None:
        self._transaction = services.store._engine._current.get
        super().arm(services)

    def step(self, what: str) -> None:
        if not self._armed:
            return
        if self._left <= 0 and (self._stored_by is None or self._stored_by.over):
            os.kill(os.getpid(), signal.SIGKILL)
        if NAMED.match(what):
            self._left -= 1
            self._stored_by = self._transaction()


async def live_and_die(url: str, directory: Path, killer: Killer) -> None:
    async with process(url, environments_dir=directory) as services:
        viewer, environment = await demo(services), await asked(services)
        killer.arm(services)
        await tend_all(services)
        await delete_environment(services, viewer, environment.id)
        await tend_all(services)
        killer.disarm()


async def rescue(url: str, directory: Path, at: int) -> dict[str, Any]:
    """What the killed one has left behind, and what became of it."""
    async with process(url, environments_dir=directory, owner="rescuer") as services:
        viewer = await demo(services)
        services.store.clock_offset = LEASE_OVER
        (before,) = (await environments.page(services.store, viewer.tenant_id, PageRequest(1))).items
        report: dict[str, Any] = {"at": at, "found": before.status, "step": (await told(services, before))[-1].step}
        await tend_all(services)
        after = await now(services, before)
        report["became"] = after.status
        if after.status is EnvironmentStatus.READY:
            await delete_environment(services, viewer, after.id)
            await tend_all(services)
            after = await now(services, before)
        report["end"] = after.status
        report["left"] = await left_of(services, after)
        report["reaped"] = await reap_environments(services)
        report["slots"] = await environments.count(services.store, viewer.tenant_id)
        report["due"] = len(await environment_times.due(services.store))
        events = await told(services, after)
        report["gapless"] = [event.seq for event in events] == list(range(1, len(events) + 1))
        return report


async def warm_up(url: str, directory: Path) -> None:
    """Find out about isolation, which those that are forked know then."""
    async with process(url, environments_dir=directory) as services:
        await demo(services)
        await isolation_of(services)


async def reports(module: str, url: str, directory: Path, *how: str) -> list[dict[str, Any]]:
    """What such a module tells, run in a process of its own."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, url, str(directory), *how, cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    try:
        output, _ = await child.communicate()
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    return [json.loads(line) for line in output.splitlines() if line.startswith(b"{")]


def in_child(what: Callable[[], Coroutine[Any, Any, dict[str, Any] | None]]) -> bool:
    """Whether a forked process came to its end; it prints what `what` gives."""
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        try:
            if (result := asyncio.run(what())) is not None:
                _tell(result)
        except BaseException as error:  # noqa: BLE001 - it is told, and this process must not go on as its parent
            _tell({"error": repr(error)})
        os._exit(0)
    _, status = os.waitpid(child, 0)
    return not os.WIFSIGNALED(status)


def _tell(result: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(result) + "\n")
    sys.stdout.flush()


def main() -> None:
    url, directory = sys.argv[1], Path(sys.argv[2])
    first, step = int(sys.argv[3]), int(sys.argv[4])
    asyncio.run(warm_up(url, directory))
    at, survived = first, False
    while not survived:
        survived = in_child(partial(live_and_die, url, directory, Killer(at)))
        in_child(partial(rescue, url, directory, at))
        at += step


if __name__ == "__main__":
    main()
