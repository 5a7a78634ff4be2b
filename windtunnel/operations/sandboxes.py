"""The sandboxes of environments: what keeps code in on this host, a look from inside, and an end for all that runs."""

import asyncio
import socket
import sys
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from windtunnel.domain.confinement import Limits, not_enforced
from windtunnel.domain.environments import Environment, EnvironmentLimits, IsolationReport
from windtunnel.domain.ids import NAMESPACE_CHARS
from windtunnel.domain.isolation import Isolation, IsolationLevel, Probe, ProbeOutcome, ProbeResult
from windtunnel.operations.services import Services
from windtunnel.sandbox.box import Sandbox
from windtunnel.sandbox.probing import Targets, probe
from windtunnel.storage import tenants

Address = tuple[str, int]

MIB = 1024 * 1024
OTHERS_TRIED = 16
NOT_TRIED = "Not tried: code runs on Linux only."


async def isolation_of(services: Services) -> Isolation:
    """What keeps code in on this host: found out when it is asked for the first time in this process."""
    return await services.code_host.isolation(services.environments_dir.absolute())


async def examine(services: Services, environment: Environment) -> IsolationReport:
    """Look from inside of the environment's sandbox at what can be reached, and say how well code is kept in.

    The directory of the environment is there. Raises SandboxError when nothing can be run, OSError.
    """
    isolation = await isolation_of(services)
    if sys.platform == "linux":
        probes = await probe(_sandbox(services, environment, isolation), await _targets(services, environment))
    else:
        probes = tuple(ProbeResult(each, ProbeOutcome.NOT_ENFORCED, NOT_TRIED) for each in Probe)
    store = services.home.store
    return IsolationReport(
        level=isolation.level,
        minimum=await tenants.minimum_isolation(store, environment.tenant_id),
        verified_at=await store.now(),
        probes=probes,
        details={mechanism.value: sentence for mechanism, sentence in sorted(isolation.details.items())},
        not_enforced=tuple(sorted(limit.value for limit in not_enforced(isolation))),
    )


async def sandbox_of(
    services: Services, environment: Environment, *packages: Path, wall_s: float | None = None
) -> Sandbox:
    """Where code of the environment runs, with these directories to read; `wall_s` is what one run may take at most."""
    return _sandbox(services, environment, await isolation_of(services), *packages, wall_s=wall_s)


async def end_code(services: Services, environment: Environment) -> int:
    """End all code that runs in the environment on this host, whoever started it, for good; how many runs there were.

    Nothing can be run there until it is examined again. Raises TimeoutError when something does not go, OSError.
    """
    return await _to_end(services, environment).remove()


def code_remaining(services: Services, environment: Environment) -> tuple[int, ...]:
    """The pids of what runs in the environment on this host."""
    return _to_end(services, environment).remaining()


def directory_of(services: Services, environment: Environment) -> Path:
    """The directory of the environment on this host."""
    return services.environments_dir.absolute() / environment.namespace


def limits_of(limits: EnvironmentLimits, wall_s: float | None) -> Limits:
    """What one run of code may use in an environment with these limits."""
    usual = Limits()
    return replace(
        usual,
        memory_bytes=limits.memory_mb * MIB,
        cpu_s=usual.cpu_s if wall_s is None else limits.cpu * wall_s,
        disk_bytes=min(usual.disk_bytes, limits.storage_mb * MIB),
    )


def _sandbox(
    services: Services, environment: Environment, isolation: Isolation, *packages: Path, wall_s: float | None = None
) -> Sandbox:
    root = directory_of(services, environment) / "sandbox"
    return Sandbox(root, packages, limits_of(environment.limits, wall_s), isolation)


def _to_end(services: Services, environment: Environment) -> Sandbox:
    """The sandbox for whoever ends what runs in it: how it is kept in does not matter then."""
    return _sandbox(services, environment, Isolation(IsolationLevel.LOGICAL))


async def _targets(services: Services, environment: Environment) -> Targets:
    """Everything real that must not be reached: other environments, production, and the servers behind them."""
    own, beyond = directory_of(services, environment), services.code_host.beyond
    return replace(
        beyond,
        others=(*beyond.others, *await asyncio.to_thread(_others, own)),
        outside=(*beyond.outside, own, own.parent),
        api=await _resolved(beyond.api),
        addresses=await _resolved(beyond.addresses),
    )


def _others(own: Path) -> list[Path]:
    found = (path for path in own.parent.iterdir() if len(path.name) == NAMESPACE_CHARS and path != own)
    return sorted(found)[:OTHERS_TRIED]


async def _resolved(addresses: Iterable[Address]) -> tuple[Address, ...]:
    """By number: a denial of looking up a name would prove nothing about what it stands for."""
    loop, found = asyncio.get_running_loop(), []
    for host, port in addresses:
        with suppress(OSError):
            for *_, address in await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM):
                found.append((str(address[0]), int(address[1])))
    return tuple(dict.fromkeys(found))
