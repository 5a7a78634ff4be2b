"""Whose signatures under packages count: public keys that the operator has put into a directory, by tenant and signer.

`DIRECTORY/acme/dev@acme.test.pem` has the public keys (one PEM block after the other) of a signer of the tenant `acme`.
Keys that come along with a signature prove nothing and are not looked at.
"""

from collections.abc import Iterator
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256, SHA384
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from windtunnel.packages.signatures import STATEMENT_TYPE, decoded, read_signature

SUFFIX = ".pem"
KEYS_MAX_BYTES = 256 * 1024
RSA_MIN_BITS = 2048

_END = b"-----END PUBLIC KEY-----"


class Signers:
    """The trusted keys in a directory, read anew each time; without one, nobody is trusted."""

    def __init__(self, directory: Path | None = None) -> None:
        self._directory = directory

    def who_signed(self, tenant_slug: str, package_digest: str, envelope: str) -> tuple[str, ...]:
        """Whose keys of the tenant have made a signature of the envelope, in order; empty when nobody's has.

        Raises SignatureRefusedError for an envelope that is none or is about something else, and OSError.
        """
        read, _ = read_signature(envelope.encode(), package_digest)
        signed = _encoded(read.statement_bytes)
        made = [decoded(each.sig) for each in read.signatures]
        found = {
            signer
            for signer, pem in self._keys(tenant_slug)
            if any(_verifies(pem, signature, signed) for signature in made)
        }
        return tuple(sorted(found))

    def trusts(self, tenant_slug: str) -> bool:
        """Whether the operator has put any key there for the tenant, if only one that is of no use. Raises OSError."""
        return bool(self._files(tenant_slug))

    def _keys(self, tenant_slug: str) -> Iterator[tuple[str, bytes]]:
        for file in self._files(tenant_slug):
            with file.open("rb") as opened:
                blocks = opened.read(KEYS_MAX_BYTES).split(_END)[:-1]
            yield from ((file.name.removesuffix(SUFFIX), block + _END + b"\n") for block in blocks)

    def _files(self, tenant_slug: str) -> list[Path]:
        if self._directory is None or not (own := self._directory / tenant_slug).is_dir():
            return []
        return sorted(own.glob(f"*{SUFFIX}"))


def _encoded(payload: bytes) -> bytes:
    """What DSSE has signed: the type, too, so that nothing can be taken for something else."""
    kind = STATEMENT_TYPE.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def _verifies(pem: bytes, signature: bytes, signed: bytes) -> bool:
    """Whether the key has made the signature; False also for what is no key that can be used."""
    try:
        key = load_pem_public_key(pem)
        if isinstance(key, ed25519.Ed25519PublicKey):
            key.verify(signature, signed)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, signed, ec.ECDSA(SHA384() if key.curve.key_size > 256 else SHA256()))
        elif isinstance(key, rsa.RSAPublicKey) and key.key_size >= RSA_MIN_BITS:
            key.verify(signature, signed, padding.PSS(padding.MGF1(SHA256()), padding.PSS.AUTO), SHA256())
        else:
            return False
    except (InvalidSignature, ValueError, TypeError):
        return False
    return True
