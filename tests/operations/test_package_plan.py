"""Simulating a package: its declared network, and who may have it simulated."""

import json
from collections.abc import AsyncIterator, Mapping
from hashlib import sha256
from typing import Any

import pytest

from tests.operations.world import conduct_all, demo, kinds, now_stored, process, queued, stored_events, tale
from tests.packages.world import DIGEST, FILES, manifest, package
from tests.storage.worlds import stranger
from windtunnel.domain.architectures import AgentRole
from windtunnel.domain.errors import ErrorCode, NotFoundError, UnavailableError, ValidationError, WindtunnelError
from windtunnel.domain.events import EventKind
from windtunnel.domain.planning import PlannerMode
from windtunnel.domain.simulations import SimulationStatus
from windtunnel.domain.viewers import Viewer
from windtunnel.operations.package_plan import NO_AGENTS, NO_TOOLS, WHO_USES_WHAT, declared_by
from windtunnel.operations.services import Services
from windtunnel.operations.upload_package import upload_package
from windtunnel.packages.manifest import Manifest
from windtunnel.storage import architectures


async def uploaded(services: Services, viewer: Viewer, data: bytes) -> str:
    async def body() -> AsyncIterator[bytes]:
        yield data

    return (await upload_package(services, viewer, body())).digest


def mine(files: Mapping[str, bytes] = FILES, /, **changes: Any) -> bytes:
    """A package in the namespace of the demo's tenant."""
    return package(files, **({"name": "demo/triage"} | changes))


def read(**changes: Any) -> Manifest:
    return Manifest.model_validate_json(json.dumps(manifest(**changes)))


async def test_what_is_simulated_is_what_the_package_declares(database_url: str) -> None:
    agents = [
        {"id": "sorter", "role": "ROUTER", "instructionsDigest": DIGEST, "handoffs": ["writer"]},
        {"id": "writer", "role": "WORKER", "instructionsDigest": DIGEST, "handoffs": []},
    ]
    async with process(database_url) as services:
        you = await demo(services)
        digest = await uploaded(services, you, mine(agents=agents))
        simulation = await queued(services, you, package_digest=digest)
        assert simulation.package_digest == digest
        assert simulation.planner_mode is PlannerMode.OFFLINE
        assert simulation.architecture_id
        stored = await architectures.get_many(services.store, you.tenant_id, [simulation.architecture_id])
        made = stored[simulation.architecture_id].architecture
        assert [(agent.key, agent.role) for agent in made.agents] == [
            ("sorter", AgentRole.ROUTER),
            ("writer", AgentRole.WORKER),
        ]
        assert [(link.source, link.target) for link in made.links] == [("sorter", "writer")]
        assert [tool.name for tool in made.tools] == ["lookup"]
        assert made.assumptions[0] == WHO_USES_WHAT
        await conduct_all(services)
        assert (await now_stored(services, simulation)).status is SimulationStatus.SUCCEEDED
        told = await stored_events(services, simulation)
        again = await queued(services, you, package_digest=digest)
        await conduct_all(services)
        assert tale(told) == tale(await stored_events(services, again))
        assert kinds(told).count(EventKind.PLANNER_STEP) == 6


async def test_a_package_that_does_not_pass_is_not_simulated(sqlite_url: str) -> None:
    many = [{"id": f"a{n}", "role": "WORKER", "instructionsDigest": DIGEST, "handoffs": []} for n in range(65)]
    broken = {
        "health": mine(health={"kind": "command", "command": ["python", "none.py"], "timeoutS": 1}),
        "namespace": package(),
        "65 agents": mine(agents=many),
        "zip": b"PK nothing",
    }
    async with process(sqlite_url) as services:
        you = await demo(services)
        for word, data in broken.items():
            digest = await uploaded(services, you, data)
            with pytest.raises(ValidationError) as refusal:
                await queued(services, you, package_digest=digest)
            assert refusal.value.code is ErrorCode.PACKAGE_INVALID
            assert refusal.value.path == ("input", "package_digest")
            assert word in refusal.value.message


async def test_unknown_and_foreign_packages_answer_alike(database_url: str) -> None:
    async with process(database_url) as services:
        you, other = await demo(services), await stranger(services.store)
        theirs = await uploaded(services, other, package(name=f"{other.tenant.slug}/triage"))
        refusals = []
        for digest in (theirs, sha256(b"nothing").hexdigest(), "no digest"):
            with pytest.raises(NotFoundError) as refusal:
                await queued(services, you, package_digest=digest)
            refusals.append((refusal.value.message, refusal.value.code, refusal.value.path))
        assert len(set(refusals)) == 1


async def test_a_package_brings_its_own_network(sqlite_url: str) -> None:
    async with process(sqlite_url) as services:
        you = await demo(services)
        digest = await uploaded(services, you, mine())
        planned = await queued(services, you)
        with pytest.raises(ValidationError) as refusal:
            await queued(services, you, text=None, architecture_id=planned.architecture_id, package_digest=digest)
        assert refusal.value.rule == "package_with_architecture"


async def test_bytes_that_are_gone_are_told_as_an_outage(sqlite_url: str) -> None:
    async with process(sqlite_url) as services:
        you = await demo(services)
        digest = await uploaded(services, you, mine(version="9.9.9"))
        await services.blobs.delete(digest)
        with pytest.raises(UnavailableError) as refusal:
            await queued(services, you, package_digest=digest)
        assert "Upload it again" in refusal.value.message


def test_what_is_not_declared_is_assumed_in_words() -> None:
    declared = declared_by(read(agents=[], tools=[]))
    assert [agent.id for agent in declared.agents] == ["triage"]
    assert [tool.id for tool in declared.tools] == ["entrypoint"]
    assert declared.assumptions == (NO_AGENTS, NO_TOOLS)
    assert declared_by(read()).assumptions == ()


def test_every_refusal_is_one_that_people_may_read() -> None:
    many = [{"id": f"a{n}", "role": "WORKER", "instructionsDigest": DIGEST, "handoffs": []} for n in range(65)]
    with pytest.raises(WindtunnelError, match="65 agents; at most 64"):
        declared_by(read(agents=many))
