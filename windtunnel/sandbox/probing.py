"""The probes of a sandbox: what is tried inside, and what came of it."""

import asyncio
import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from windtunnel.domain.isolation import Probe, ProbeResult, judge
from windtunnel.sandbox.box import Sandbox
from windtunnel.sandbox.decoys import Decoys, set_up
from windtunnel.sandbox.errors import SandboxError
from windtunnel.sandbox.interpreter import ISOLATED
from windtunnel.sandbox.launch.record import started_at

PROBES_WALL_S = 20.0
_SCRIPT = Path(__file__).parent / "inside" / "probes.py"


@dataclass(frozen=True, slots=True)
class Targets:
    """What there is on this host that the code of an environment must not get at.

    `others` and `production` are files or directories to read, `outside` directories to write in, `api` and
    `addresses` are hosts with their TCP ports. For each there is a decoy besides, so that a denial is never one of
    something that is not there.
    """

    others: tuple[Path, ...] = ()
    production: tuple[Path, ...] = ()
    outside: tuple[Path, ...] = ()
    api: tuple[tuple[str, int], ...] = ()
    addresses: tuple[tuple[str, int], ...] = ()


async def probe(sandbox: Sandbox, targets: Targets) -> tuple[ProbeResult, ...]:
    """What became of each probe in this sandbox. Raises SandboxError when they cannot be run."""
    seen = await try_out(sandbox, targets)
    return tuple(
        judge(sandbox.isolation, one, succeeded=succeeded, detail=detail) for one, (succeeded, detail) in seen.items()
    )


async def try_out(sandbox: Sandbox, targets: Targets) -> dict[Probe, tuple[bool, str]]:
    """Whether each probe succeeded, and a sentence about it. Raises SandboxError when they cannot be run."""
    sandbox.prepare()
    async with set_up(sandbox.root) as decoys:
        new = [directory / f"probe-{secrets.token_hex(16)}" for directory in (*targets.outside, decoys.directory)]
        command = (*ISOLATED, "-c", _SCRIPT.read_text("utf-8"))
        plan = sandbox.plan(command, cwd=None, env={}, wall_s=PROBES_WALL_S)
        outcome = await sandbox.carry_out(plan, json.dumps(_told(targets, decoys, new)).encode())
        try:
            answers: dict[str, tuple[bool, str]] = json.loads(outcome.stdout)
        except ValueError:
            end = outcome.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2]
            raise SandboxError("probes", end or f"ended with {outcome.exit_status}, {outcome.breach}") from None
        await asyncio.sleep(0)  # a datagram that was sent has arrived by now
        seen = {one: (answers[one][0], answers[one][1]) for one in Probe}
        seen[Probe.SEND_DATAGRAM] = _believed(seen[Probe.SEND_DATAGRAM], seen=decoys.datagram_arrived())
        seen[Probe.WRITE_OUTSIDE] = _believed(seen[Probe.WRITE_OUTSIDE], seen=_cleared(new) or decoys.file_emptied())
        return seen


def _told(targets: Targets, decoys: Decoys, new: list[Path]) -> dict[str, object]:
    word = decoys.word
    return {
        "server": (os.getpid(), started_at(os.getpid())),
        "others": [str(path) for path in (*targets.others, decoys.file)],
        "production": [str(path) for path in (*targets.production, decoys.file)],
        "outside": [str(path) for path in (*new, decoys.file)],
        "api": [(*address, "") for address in targets.api] + [(*decoys.stream, word)],
        "addresses": [(*address, "") for address in targets.addresses] + [(*decoys.stream, word)],
        "datagrams": [(*decoys.datagram, word)],
        "network": os.stat("/proc/self/ns/net").st_ino,  # noqa: PTH116 - pathlib has no word for this in async code
        "sockets": [("", decoys.abstract, word), (str(decoys.directory), decoys.socket, word)],
    }


def _believed(answer: tuple[bool, str], *, seen: bool) -> tuple[bool, str]:
    succeeded, detail = answer
    return (True, detail) if seen else (False, "It never arrived outside." if succeeded else detail)


def _cleared(written: list[Path]) -> bool:
    found = [path for path in written if path.exists()]
    for path in found:
        path.unlink()
    return bool(found)
