"""Submitting a package from the command line: uploaded, signed, its agent found, and its validation awaited."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.client import Client, RefusedError
from windtunnel.domain.failures import Severity
from windtunnel.domain.packages import PackageCheck, is_name
from windtunnel.packages.glancing import manifest_in

VALIDATED_WITHIN_S = 60.0
LOOK_EVERY_S = 0.2

_AGENT = "query Agent($slug: String!) { agent(by: {slug: $slug}) { id } }"
_REGISTER = """
mutation Register($input: RegisterAgentInput!) {
  registerAgent(input: $input) { agent { id } errors { code message } }
}
"""
_SUBMIT = """
mutation Submit($input: SubmitDeploymentInput!) {
  submitDeployment(input: $input) {
    deployment { id status }
    expectedReviewBy
    errors { code message }
  }
}
"""
_WAITING = """
query Waiting($agent: ID!) {
  deployments(filter: {agentId: $agent, statuses: [SUBMITTED, VALIDATING, IN_REVIEW, APPROVED, HELD, DEPLOYING]}) {
    nodes { id status package { digest } }
  }
}
"""
_LOOK = """
query Look($id: ID!) {
  deployment(id: $id) {
    status
    review { expectedBy expectedBasis expiresAt requiredApprovals }
    package { checks { code passed severity path line detail remediation } }
  }
}
"""


@dataclass(frozen=True, slots=True)
class Submission:
    """What to submit, and with what."""

    file: Path
    signature: Path | None = None
    changelog: str | None = None
    evidence: Sequence[str] = ()
    register: bool = False
    idempotency_key: str | None = None


@dataclass(frozen=True, slots=True)
class Validated:
    """How the validation ended: the status then, and what was checked."""

    status: str
    checks: Sequence[PackageCheck]
    review: dict[str, Any] | None


def submitted(client: Client, wanted: Submission, say: Callable[[str], None]) -> str:
    """The id of the deployment; `say` is told of each step. Raises RefusedError, OSError."""
    manifest = _manifest(wanted.file)
    uploaded = client.put("/packages", wanted.file)
    say(f"uploaded   {wanted.file}  {uploaded['sizeBytes']:,} bytes  sha256:{uploaded['digest']}")
    if wanted.signature is not None:
        client.put(f"/packages/{uploaded['digest']}/signature", wanted.signature)
        say(f"signed     {wanted.signature}")
    asked = {
        "agentId": _agent(client, manifest, wanted.register, say),
        "packageDigest": uploaded["digest"],
        "changelog": wanted.changelog,
        "evidenceIds": list(wanted.evidence),
        "idempotencyKey": wanted.idempotency_key,
    }
    made = client.ask(_SUBMIT, {"input": asked})["submitDeployment"]
    say(f"submitted  {made['deployment']['id']}")
    for other in client.ask(_WAITING, {"agent": asked["agentId"]})["deployments"]["nodes"]:
        if other["package"]["digest"] == uploaded["digest"] and other["id"] != made["deployment"]["id"]:
            say(f"note       the same package is {other['status']} already; withdraw one:  {other['id']}")
    say(f"expected   review by {made['expectedReviewBy']}")
    return str(made["deployment"]["id"])


def validated(client: Client, deployment_id: str) -> Validated | None:
    """What validation found, once it has ended; None when it takes too long."""
    until = time.monotonic() + VALIDATED_WITHIN_S
    while True:
        found = client.ask(_LOOK, {"id": deployment_id})["deployment"]
        if found is None:
            raise RefusedError("The deployment is gone.")
        if found["status"] not in {"SUBMITTED", "VALIDATING"}:
            checks = [_check(each) for each in found["package"]["checks"]]
            return Validated(found["status"], checks, found["review"])
        if time.monotonic() >= until:
            return None
        time.sleep(LOOK_EVERY_S)


def _check(told: Mapping[str, Any]) -> PackageCheck:
    return PackageCheck(**{**told, "severity": Severity(told["severity"])})


def _manifest(file: Path) -> dict[str, str]:
    """The texts of the manifest, among them the name."""
    with file.open("rb") as opened:
        texts = {key: value for key, value in manifest_in(opened).items() if isinstance(value, str)}
    if not is_name(texts.get("name", "")):
        raise RefusedError(f"{str(file)!r} does not tell its name. See `windtunnel package check`.")
    return texts


def _agent(client: Client, manifest: dict[str, str], register: bool, say: Callable[[str], None]) -> str:
    slug = manifest["name"].partition("/")[2]
    found = client.ask(_AGENT, {"slug": slug})["agent"]
    if found is not None:
        return str(found["id"])
    if not register:
        raise RefusedError(f"There is no agent {slug!r}. Register it with `registerAgent`, or add --register.")
    asked = {"slug": slug, "name": manifest.get("title", slug), "description": manifest.get("description", "")}
    made = client.ask(_REGISTER, {"input": asked})["registerAgent"]["agent"]
    say(f"registered {slug}")
    return str(made["id"])
