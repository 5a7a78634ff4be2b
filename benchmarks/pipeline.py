"""The pipeline: a package of 1 MB from a directory to a deployment; validated, deployed, taken back; 50 agents at once.

    python -m benchmarks.pipeline [--engine SQLite] [--rounds 30] [--cold 10] [--pairs 1] [--gate]

On SQLite one server does everything; on PostgreSQL a server answers and two workers work. `cold` is a rollback just
after all workers were killed and started again. Of the 50 agents that are approved in one moment one has, the second
time, a health command that hangs; what counts is how much longer the others take, on a fresh server each. With `--gate`
the exit code is 1 when a figure is more than twice its goal (machines under load vary).
"""

import argparse
import ast
import asyncio
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from benchmarks.people import TENANT, Team, team, tokens
from benchmarks.server import ms, percentile, print_row
from tests.databases import migrate_url, postgres_database
from tests.packages.directories import directory
from tests.packages.world import FILES, package
from tests.processes import ROOT, Api, WindtunnelProcess, WorkerProcess
from tests.servers import PostgresServer, RedisServer

ENGINES = ("SQLite", "PostgreSQL")
AGENTS = 50
SUBMISSIONS = 5
RANDOM_BYTES = 1_000_000
SOURCES = ("calendar", "csv", "datetime", "difflib", "fractions", "textwrap", "colorsys", "heapq", "string", "bisect")
HANGING = {"kind": "command", "command": ["python", "-c", "import signal; signal.pause()"], "timeoutS": 30}
SLACK = 2.0
BUILD_AND_SUBMIT, VALIDATE, DEPLOY, WARM, COLD, RATIO = 5.0, 2.0, 2.0, 2.0, 10.0, 1.5
"""The goals, in seconds, and how much longer others may take."""


@dataclass
class Site:
    """What runs: an API process, workers of their own if there are any, and tokens of everybody."""

    api: Api
    workers: list[WorkerProcess]
    secrets: list[str]

    def restart_workers(self) -> None:
        """Kill all that has agents running, and start it again."""
        with ThreadPoolExecutor() as threads:
            list(threads.map(WindtunnelProcess.restart, self.workers or [self.api]))


@contextmanager
def site(engine: str) -> Iterator[Site]:
    """A fresh one."""
    with ExitStack() as stack:
        made = stack.enter_context(tempfile.TemporaryDirectory(prefix="windtunnel-bench-"))
        settings = {"WINDTUNNEL_DATA_DIR": made, "WINDTUNNEL_LOG_LEVEL": "error", "WINDTUNNEL_RATE_LIMIT": "off"}
        url = f"sqlite:///{made}/windtunnel.db"
        if engine == "PostgreSQL":
            postgres, redis = stack.enter_context(PostgresServer()), stack.enter_context(RedisServer())
            url = stack.enter_context(postgres_database(postgres.url))
            migrate_url(url)
            settings |= {"WINDTUNNEL_DATABASE_URL": url, "WINDTUNNEL_REDIS_URL": redis.url}
        secrets = asyncio.run(tokens(url))
        workers = [WorkerProcess(settings) for _ in range(2 if engine == "PostgreSQL" else 0)]
        api = stack.enter_context(Api(settings, *(["--no-worker"] if workers else [])))
        for worker in workers:
            stack.enter_context(worker)
        yield Site(api, workers, secrets)


def megabyte() -> dict[str, bytes]:
    """Files of a package of that size: weights that no compressor makes less of, and source, as Python brings it."""
    modules = {f"library/{name}.py": (Path(ast.__file__).parent / f"{name}.py").read_bytes() for name in SOURCES}
    return dict(sorted((FILES | modules | {"weights.bin": Random(7).randbytes(RANDOM_BYTES)}).items()))


def submit(site: Site) -> list[float]:
    """Seconds that `package build` and `package submit` take together, as commands."""
    times = []
    with tempfile.TemporaryDirectory() as made:
        variables = {"WINDTUNNEL_SERVER": site.api.url, "WINDTUNNEL_TOKEN": site.secrets[0], "PYTHONPATH": str(ROOT)}
        for number in range(SUBMISSIONS):
            place = directory(Path(made) / "in", megabyte(), name=f"{TENANT}/written", version=f"{number}.0.0")
            file = Path(made) / f"{number}.agent.zip"
            begin = time.perf_counter()
            for command in (["build", place, "-o", file], ["submit", file, "--register", "--no-wait"]):
                line = [sys.executable, "-c", "from app.cli import main; main()", "package", *map(str, command)]
                subprocess.run(line, check=True, cwd=made, env=variables, stdout=subprocess.DEVNULL)
            times.append(time.perf_counter() - begin)
            assert file.stat().st_size > RANDOM_BYTES
    return times


@dataclass(frozen=True, slots=True)
class Agent:
    """An agent of the team's, whose versions count up."""

    team: Team
    id: str
    slug: str

    async def reviewed(self, version: int, files: dict[str, bytes], **declared: Any) -> tuple[str, str, float]:
        """A deployment in review, its package, and the seconds that it took from the submission on."""
        name = f"{TENANT}/{self.slug}"
        data = package(files, name=name, version=f"{version}.0.0", **declared)
        digest = await self.team.developer.uploaded(data)
        begin = time.perf_counter()
        deployment = await self.team.developer.submitted(self.id, digest)
        await self.team.developer.until(deployment, "IN_REVIEW")
        return deployment, digest, time.perf_counter() - begin

    async def approved(self, deployment: str, digest: str) -> None:
        """The vote."""
        shown = "deployment { status }"
        await self.team.reviewer.do("approveDeployment", shown, deploymentId=deployment, reviewedDigest=digest)

    async def live(self, deployment: str, digest: str) -> float:
        """The seconds from the vote until it was in production."""
        begin = time.perf_counter()
        await self.approved(deployment, digest)
        await self.team.reviewer.until(deployment, "LIVE")
        return time.perf_counter() - begin

    async def restored(self, before: int) -> float:
        """The seconds that it took to take back what is in production."""
        begin = time.perf_counter()
        await self.team.operator.restored(self.id, before)
        return time.perf_counter() - begin


async def one_after_the_other(site: Site, rounds: int, cold: int) -> dict[str, list[float]]:
    """Version after version of an agent, each taken back: the seconds that each part took."""
    times: dict[str, list[float]] = {"validated": [], "deployed": [], "warm": [], "cold": []}
    agent_id, files = "", megabyte()
    for number in range(cold + 1):
        async with team(site.api, site.secrets) as people:
            agent = Agent(people, agent_id or await people.developer.registered("steady"), "steady")
            if not agent_id:
                agent_id = agent.id
                deployment, digest, _ = await agent.reviewed(0, files)
                await agent.live(deployment, digest)
                for done in range(rounds):
                    deployment, digest, validated = await agent.reviewed(done + 1, files)
                    times["validated"].append(validated)
                    times["deployed"].append(await agent.live(deployment, digest))
                    times["warm"].append(await agent.restored(done))
            else:
                times["cold"].append(await agent.restored(rounds + number - 1))
            if number < cold:
                deployment, digest, _ = await agent.reviewed(rounds + number + 1, files)
                await agent.live(deployment, digest)
        if number < cold:
            await asyncio.to_thread(site.restart_workers)
    return times


async def at_once(site: Site, *, hanging: bool) -> list[float]:
    """The seconds from approval to production of all but the first, of agents that are approved in the same moment."""
    async with team(site.api, site.secrets) as people:

        async def reviewed(number: int) -> tuple[Agent, str, str]:
            agent = Agent(people, await people.developer.registered(f"agent-{number}"), f"agent-{number}")
            declared = {"health": HANGING} if hanging and number == 0 else {}
            return agent, *(await agent.reviewed(1, FILES, **declared))[:2]

        (odd, *of_odd), *others = await asyncio.gather(*map(reviewed, range(AGENTS)))
        first = odd.approved if hanging else odd.live
        _, *times = await asyncio.gather(first(*of_odd), *(agent.live(*made) for agent, *made in others))
        return [each for each in times if each is not None]


def measure(engine: str, options: argparse.Namespace) -> Iterator[tuple[str, float, float]]:
    """Print everything for one engine: what it was, how much, and the goal."""
    print(engine, flush=True)
    with site(engine) as one:
        yield _row("build and submit 1 MB, two commands", submit(one), BUILD_AND_SUBMIT)
        times = asyncio.run(one_after_the_other(one, options.rounds, options.cold))
        yield _row("submitted -> IN_REVIEW", times["validated"], VALIDATE)
        yield _row("approved -> LIVE", times["deployed"], DEPLOY)
        yield _row("rollback, warm", times["warm"], WARM)
        yield _row("rollback, cold", times["cold"], COLD)
    apart: dict[bool, list[float]] = {False: [], True: []}
    for number in range(2 * options.pairs):
        hanging = number % 4 in {1, 2}
        with site(engine) as one:
            apart[hanging] += asyncio.run(at_once(one, hanging=hanging))
    without, beside = (percentile(apart[hanging], 0.95) for hanging in (False, True))
    _row(f"{AGENTS} at once, all well", apart[False])
    _row("the others, beside one that hangs", apart[True])
    print_row("  how much longer", f"{beside / without:.2f}", f"goal {RATIO}")
    yield "how much longer", beside / without, RATIO


def _row(what: str, times: list[float], goal: float | None = None) -> tuple[str, float, float]:
    p95 = percentile(times, 0.95)
    figures = [f"p50 {ms(percentile(times, 0.5))}", f"p95 {ms(p95)}"]
    print_row(f"  {what}", *figures, *([f"goal {ms(goal)}"] if goal else []))
    return what, p95, goal or 0.0


def main() -> int:
    """One engine after the other."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--engine", choices=ENGINES, help="both when absent")
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--cold", type=int, default=10)
    parser.add_argument("--pairs", type=int, default=1)
    parser.add_argument("--gate", action="store_true")
    options = parser.parse_args()
    missed = []
    for engine in [options.engine] if options.engine else ENGINES:
        missed += [what for what, value, goal in measure(engine, options) if value > SLACK * goal]
    return 1 if options.gate and missed else 0


if __name__ == "__main__":
    sys.exit(main())
