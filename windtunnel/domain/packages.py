"""Agent packages: how they are named, what a check of one says, and a package that somebody uploaded."""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from windtunnel.domain.failures import Severity

_SLUG = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_NUMBER = r"(?:0|[1-9][0-9]*)"
_PRE_RELEASE = rf"(?:{_NUMBER}|[0-9]*[A-Za-z-][0-9A-Za-z-]*)"
_BUILD = r"[0-9A-Za-z-]+"

NAME_PATTERN = rf"^{_SLUG}/{_SLUG}$"
"""`namespace/slug`: the slug of the tenant, then that of the agent."""
VERSION_PATTERN = (
    rf"^{_NUMBER}\.{_NUMBER}\.{_NUMBER}(?:-{_PRE_RELEASE}(?:\.{_PRE_RELEASE})*)?(?:\+{_BUILD}(?:\.{_BUILD})*)?$"
)
"""Exactly what Semantic Versioning 2.0.0 calls a version: no `v`, no range, no part left out."""
DIGEST_PATTERN = r"^[0-9a-f]{64}$"
"""SHA-256 in lower-case hex digits: the address of a package by its content."""

VERSION_MAX_CHARS = 100
_BLOCKING = frozenset({Severity.HIGH, Severity.CRITICAL})


class Classification(StrEnum):
    """How sensitive the data of an agent is, as a whole."""

    PUBLIC = "public"
    INTERNAL = "internal"
    CONFIDENTIAL = "confidential"
    RESTRICTED = "restricted"


class AccessMode(StrEnum):
    """What an agent does with a data store."""

    READ = "READ"
    WRITE = "WRITE"
    READ_WRITE = "READ_WRITE"


@dataclass(frozen=True, slots=True)
class PackageCheck:
    """What one check of a package found. `path` and `line` (from 1) lead to the place in the package, if there is one.

    `code` and `remediation` are for whoever has to put it right; `detail` never quotes what may be a secret.
    """

    code: str
    passed: bool
    severity: Severity
    path: str | None = None
    line: int | None = None
    detail: str | None = None
    remediation: str | None = None

    @property
    def blocks(self) -> bool:
        """Whether a package with this finding cannot be deployed."""
        return not self.passed and self.severity in _BLOCKING


@dataclass(frozen=True, slots=True)
class StoredPackage:
    """A package that the tenant has uploaded. `name` and `version` are None when its manifest does not tell them."""

    tenant_id: str
    digest: str
    size_bytes: int
    name: str | None
    version: str | None
    uploaded_by: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class StoredSignature:
    """The detached signature beside a package: a DSSE envelope, as it was uploaded; `signature_digest` is its own."""

    tenant_id: str
    digest: str
    signature_digest: str
    envelope: str
    uploaded_by: str
    created_at: datetime


def is_name(text: str) -> bool:
    """Whether an agent can be called so."""
    return re.fullmatch(NAME_PATTERN, text) is not None


def is_version(text: str) -> bool:
    """Whether this is an exact version by Semantic Versioning 2.0.0."""
    return len(text) <= VERSION_MAX_CHARS and re.fullmatch(VERSION_PATTERN, text) is not None


def is_digest(text: str) -> bool:
    """Whether this can be the digest of a package."""
    return re.fullmatch(DIGEST_PATTERN, text) is not None
