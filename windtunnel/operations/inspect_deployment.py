"""Looking into the package of a deployment: everything that can be told of it before its tenant is locked."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import rfc8785

from windtunnel.domain.agents import Agent
from windtunnel.domain.deployments import Deployment
from windtunnel.domain.packages import Classification, PackageCheck
from windtunnel.domain.review_rules import digest_of_json, policy_for
from windtunnel.operations.services import Services
from windtunnel.packages.blobs import BlobCorruptError, BlobMissingError
from windtunnel.packages.checking import CheckedPackage
from windtunnel.packages.codes import Code, Passed
from windtunnel.packages.entries import MANIFEST_PATH
from windtunnel.packages.findings import Findings, passed
from windtunnel.packages.manifest import Manifest
from windtunnel.packages.references import highest_classification
from windtunnel.packages.signatures import SignatureRefusedError
from windtunnel.storage import packages

_NAMES_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Declared:
    """What a readable manifest of the right agent says. `digest` is that of `manifest`, as RFC 8785 JSON."""

    version: str
    manifest: Mapping[str, Any]
    digest: str
    classification: Classification


@dataclass(frozen=True, slots=True)
class Inspected:
    """What is known of the package. `declared` is None without a manifest that names this agent and can be used."""

    declared: Declared | None
    checks: tuple[PackageCheck, ...]
    signers: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether people should look at it."""
        return self.declared is not None and not any(check.blocks for check in self.checks)


async def inspect_deployment(services: Services, deployment: Deployment, agent: Agent, tenant_slug: str) -> Inspected:
    """Check the bytes, the manifest, every file and the signature. Raises OSError, UnavailableError."""
    try:
        file = await services.blobs.open(deployment.package_digest)
    except BlobMissingError:
        return _unusable(Code.PACKAGE_UNAVAILABLE, "Its bytes are not there any more.")
    except BlobCorruptError:
        return _unusable(Code.DIGEST_MISMATCH, "What is stored under its digest is something else now.")
    with file:
        checked = await services.inspector.inspect(file, namespace=tenant_slug)
    findings = Findings()
    declared = _declared(checked, agent, tenant_slug, findings)
    signers, signed = await _signature(services, deployment, tenant_slug, checked.manifest, findings)
    return Inspected(declared, (*checked.checks, *findings.checks, *signed), signers)


def _unusable(code: Code, detail: str) -> Inspected:
    findings = Findings()
    findings.add(code, detail)
    return Inspected(None, findings.checks)


def _declared(checked: CheckedPackage, agent: Agent, tenant_slug: str, findings: Findings) -> Declared | None:
    manifest = checked.manifest
    if manifest is None or any(
        check.code == Code.SECRET_FOUND and check.path == MANIFEST_PATH for check in checked.checks
    ):
        return None  # nothing with a secret in it is kept anywhere but where it was uploaded
    if manifest.slug != agent.slug:
        findings.add(Code.AGENT_DIFFERENT, f"name: It is not {tenant_slug}/{agent.slug}.", MANIFEST_PATH)
        return None
    if manifest.namespace != tenant_slug:
        return None  # that has been said
    plain = manifest.model_dump(mode="json", by_alias=True)
    try:
        digest = digest_of_json(plain)
    except rfc8785.CanonicalizationError:
        findings.add(Code.MANIFEST_INVALID, "_meta: A number has no exact form in every reader.", MANIFEST_PATH)
        return None
    return Declared(manifest.version, plain, digest, highest_classification(manifest))


async def _signature(
    services: Services, deployment: Deployment, tenant_slug: str, manifest: Manifest | None, findings: Findings
) -> tuple[tuple[str, ...], list[PackageCheck]]:
    """Who has signed the package, by trusted keys. Where there are some, any other signature is worse than none."""
    store, tenant_id, digest = services.home.store, deployment.tenant_id, deployment.package_digest
    signature = await packages.signature_of(store, tenant_id, digest)
    if signature is None:
        if manifest and policy_for(highest_classification(manifest)).signature_required:
            findings.add(Code.SIGNATURE_MISSING, "Data that are restricted need a package that somebody has signed.")
        return (), []
    try:
        signers = await asyncio.to_thread(services.signers.who_signed, tenant_slug, digest, signature.envelope)
    except SignatureRefusedError as refused:
        findings.add(Code.SIGNATURE_UNVERIFIED, str(refused))
        return (), []
    if not signers:
        if await asyncio.to_thread(services.signers.trusts, tenant_slug):
            findings.add(Code.SIGNATURE_UNVERIFIED, "No key that is trusted here has made the signature beside it.")
        else:
            findings.add(
                Code.SIGNER_UNKNOWN, "It is signed; whose signature it is cannot be told: no key is known here."
            )
        return (), []
    names = ", ".join(signers[:_NAMES_SHOWN])
    return signers, [passed(Passed.SIGNATURE_VERIFIED, f"It is signed by {names}.")]
