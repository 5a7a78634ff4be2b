"""Putting a detached signature beside a package. Whether its signer is trusted is asked when it is deployed."""

from hashlib import sha256

from windtunnel.domain.audit import AuditAction
from windtunnel.domain.entities import Kind, Subject
from windtunnel.domain.errors import ErrorCode, ValidationError
from windtunnel.domain.packages import StoredSignature, is_digest
from windtunnel.domain.permissions import Action
from windtunnel.domain.policy import PACKAGE_SIGNATURE_MAX_BYTES
from windtunnel.domain.viewers import Viewer
from windtunnel.operations.audit_trail import record
from windtunnel.operations.find_package import find_package
from windtunnel.operations.permit import permit, permitted_transaction
from windtunnel.operations.services import Services
from windtunnel.storage import packages


async def sign_package(services: Services, viewer: Viewer, digest: str, envelope: bytes) -> StoredSignature:
    """The signature beside the package from now on, in the place of an earlier one.

    Raises ForbiddenError, NotFoundError, and ValidationError for what is no signature of this package.
    """
    subject = Subject(Kind.PACKAGE, digest) if is_digest(digest) else None
    await permit(services, viewer, Action.SIGN_PACKAGE, subject)
    package = await find_package(services, viewer, digest, ("digest",))
    _check(envelope, digest)
    store, tenant_id = services.store, viewer.tenant_id
    async with permitted_transaction(services, viewer, Action.SIGN_PACKAGE, subject):
        signature = StoredSignature(
            tenant_id=tenant_id,
            digest=package.digest,
            signature_digest=sha256(envelope).hexdigest(),
            envelope=envelope.decode(),
            uploaded_by=viewer.user.id,
            created_at=await store.now(),
        )
        if await packages.sign(store, signature):
            details = {"signatureDigest": signature.signature_digest}
            await record(
                services,
                viewer,
                tenant_id,
                AuditAction.PACKAGE_SIGNED,
                Subject(Kind.PACKAGE, package.digest),
                details=details,
            )
    return signature


def _check(envelope: bytes, digest: str) -> None:
    from windtunnel.packages.signatures import SignatureRefusedError, read_signature

    if len(envelope) > PACKAGE_SIGNATURE_MAX_BYTES:
        raise ValidationError(
            f"A signature has at most {PACKAGE_SIGNATURE_MAX_BYTES:,} bytes.",
            rule="signature_too_large",
            code=ErrorCode.LIMIT_EXCEEDED,
        )
    try:
        read_signature(envelope, digest)
    except SignatureRefusedError as refused:
        raise ValidationError(str(refused), rule="signature") from None
