"""Deployments whose packages a worker has looked into."""

import base64
import json
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.operations.packages_world import mine
from tests.operations.pipeline_world import registered, stored, submitted
from tests.operations.world import demo
from windtunnel.domain.agents import Agent
from windtunnel.domain.deployments import Deployment
from windtunnel.domain.pages import PageRequest
from windtunnel.domain.viewers import Viewer
from windtunnel.operations.services import Services
from windtunnel.operations.tend_deployment import tend_deployment
from windtunnel.storage import agents, deployment_care

OWNERS = ["dev@demo.test"]
KIND = "application/vnd.in-toto+json"


async def an_agent(services: Services, viewer: Viewer) -> Agent:
    """The agent `triage`, registered when missing."""
    found = await agents.page(services.store, viewer.tenant_id, PageRequest(limit=100))
    return next((each for each in found.items if each.slug == "triage"), None) or await registered(services, viewer)


async def validated(services: Services, deployment: Deployment) -> Deployment:
    """The deployment, after a worker has dealt with it."""
    claimed = await deployment_care.claim(services.store, "validator", 100)
    for each in claimed:
        if each.id == deployment.id:
            await tend_deployment(services, each)
    return await stored(services, deployment)


async def asked(services: Services, package: bytes | None = None, /, **declared: Any) -> Deployment:
    """A deployment of the agent `triage` that the demo's person has just submitted."""
    viewer = await demo(services)
    data = package or mine(**({"owners": OWNERS} | declared))
    return await submitted(services, viewer, await an_agent(services, viewer), data=data)


def trusted(directory: Path, tenant: str, signer: str) -> Ed25519PrivateKey:
    """A key of which the operator believes that it is the signer's."""
    key = Ed25519PrivateKey.generate()
    (directory / tenant).mkdir(parents=True, exist_ok=True)
    pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    with (directory / tenant / f"{signer}.pem").open("ab") as file:
        file.write(pem)
    return key


def signed(key: Ed25519PrivateKey, digest: str, kind: str = KIND) -> bytes:
    """The envelope that the key makes for a package; it signs that it is of this kind."""
    statement = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "package", "digest": {"sha256": digest}}],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {},
    }
    payload = json.dumps(statement).encode()
    signature = key.sign(b"DSSEv1 %d %b %d %b" % (len(kind), kind.encode(), len(payload), payload))
    envelope = {
        "payloadType": KIND,
        "payload": base64.b64encode(payload).decode(),
        "signatures": [{"keyid": "", "sig": base64.b64encode(signature).decode()}],
    }
    return json.dumps(envelope).encode()


def wrong(deployment: Deployment) -> list[tuple[str, str | None, int | None]]:
    return [(check.code, check.path, check.line) for check in deployment.checks if check.blocks]
