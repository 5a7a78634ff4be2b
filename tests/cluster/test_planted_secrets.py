"""A secret that somebody has left in a package: grepped for in all that servers keep, log, answer and send."""

import asyncio
import json
import secrets
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.cluster.test_secrets import Client, Place
from tests.packages.world import FILES, package
from tests.processes import Api
from tests.traces import files, traces
from windtunnel.domain.audit_forms import AuditForm

REGISTER = """mutation { registerAgent(input: {slug: "triage", name: "Triage", description: "Sorts."}) {
  agent { id } errors { message } } }"""
WEBHOOK = """mutation { registerWebhook(input: {url: "https://hooks.invalid/in", kinds: [DEPLOYMENT_INVALID]}) {
  webhook { id } errors { message } } }"""
SUBMIT = """mutation ($input: SubmitDeploymentInput!) { submitDeployment(input: $input) {
  deployment { id } errors { code message } } }"""
LOOK = """query ($id: ID!) { deployment(id: $id) { status failure timeline { step message }
  package { digest sizeBytes checks { code passed severity path line detail remediation } } version { version }
  review { id } } }"""
SHOW = """{ auditLog(first: 100) { nodes { action reason subjectId details } }
  notifications(first: 50) { nodes { kind title body } } webhooks { url deliveries { nodes { lastError } } }
  agents(first: 10) { nodes { slug versions(first: 10) { nodes { version } } } } }"""


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    url = request.getfixturevalue("postgres_database_url") if request.param == "postgres" else None
    return Place(tmp_path, url)


def planted() -> str:
    """One that looks like a key, and different each time."""
    return "AKIA" + "".join(secrets.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") for _ in range(16))


async def test_a_planted_secret_is_found_nowhere_but_in_its_package(place: Place) -> None:
    in_code, in_text, in_manifest = planted(), planted(), planted()
    with Api(place.settings) as server:
        async with httpx.AsyncClient(base_url=server.url, timeout=60) as http:
            client = Client(http)
            registered, webhook = await client.post(REGISTER), await client.post(WEBHOOK)
            assert "errors" not in {**registered, **webhook}, (registered, webhook)
            agent_id = registered["data"]["registerAgent"]["agent"]["id"]
            evil = FILES | {
                "triage/key.py": f'KEY = "{in_code}"\n'.encode(),
                "notes.txt": f"The key is {in_text}, do not lose it.\n".encode(),
            }
            for data in (
                package(evil, name="demo/triage"),
                package(name="demo/triage", description=f"Uses {in_manifest} for now."),
            ):
                await _refused(client, agent_id, data)
            assert "errors" not in await client.post(SHOW)
            metrics = (await http.get("/metrics")).content
            running = await place.contents()
        told = {"answers": b"\n".join(client.answers), "log": "\n".join(server.log).encode(), "metrics": metrics}
        server.kill()
    exported = {form.value: (await place.run("audit", "export", "--format", form.value)).encode() for form in AuditForm}
    everything = [running, await place.contents(), told, exported]
    for content in everything:
        rest = {name: data for name, data in content.items() if not _is_package(data)}
        for secret in (in_code, in_text, in_manifest):
            assert traces(secret, rest) == []
    kept = [data for data in files(place.directory).values() if _is_package(data)]
    inside = {f"{number} {name}": data for number, each in enumerate(kept) for name, data in _inside(each).items()}
    # What is there is found, so that the rest was looked for in the right places.
    assert all(traces(secret, inside) for secret in (in_code, in_text, in_manifest))
    assert any(b"SECRET_FOUND" in data for data in running.values())


async def _refused(client: Client, agent_id: str, data: bytes) -> None:
    """It ends INVALID, for the secret, and all that can be asked about it was asked."""
    uploaded = await client.http.put("/packages", content=data)
    client.answers.append(uploaded.content)
    assert uploaded.status_code == 201
    given = {"agentId": agent_id, "packageDigest": uploaded.json()["digest"]}
    submitted = (await client.post(SUBMIT, {"input": given}))["data"]["submitDeployment"]
    assert submitted["errors"] == []
    found: Any = {"status": "SUBMITTED"}
    while found["status"] in {"SUBMITTED", "VALIDATING"}:
        found = (await client.post(LOOK, {"id": submitted["deployment"]["id"]}))["data"]["deployment"]
        await asyncio.sleep(0)
    assert found["status"] == "INVALID", json.dumps(found)
    wrong = {check["code"] for check in found["package"]["checks"] if not check["passed"]}
    assert "SECRET_FOUND" in wrong


def _is_package(data: bytes) -> bool:
    return data.startswith(b"PK\x03\x04")


def _inside(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}
