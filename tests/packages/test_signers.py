"""Whose signatures count: those of keys that the operator trusts for this tenant, over exactly this."""

import base64
import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256, SHA384
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.packages.test_signatures import DIGEST, envelope, statement
from windtunnel.packages.signatures import SignatureRefusedError
from windtunnel.packages.signers import Signers

PRIVATE = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | Ed25519PrivateKey
PSS = padding.PSS(padding.MGF1(SHA256()), padding.PSS.MAX_LENGTH)


def trust(directory: Path, key: PRIVATE, signer: str = "dev@acme.test", tenant: str = "acme") -> None:
    pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (directory / tenant).mkdir(parents=True, exist_ok=True)
    with (directory / tenant / f"{signer}.pem").open("ab") as file:
        file.write(pem)


def signed(*keys: PRIVATE, kind: str = "application/vnd.in-toto+json") -> str:
    payload = json.dumps(statement()).encode()
    text = b"DSSEv1 %d %b %d %b" % (len(kind), kind.encode(), len(payload), payload)
    made = [{"sig": base64.b64encode(_made(key, text)).decode()} for key in keys]
    return envelope(payload, signatures=made).decode()


def _made(key: PRIVATE, text: bytes) -> bytes:
    if isinstance(key, Ed25519PrivateKey):
        return key.sign(text)
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(text, PSS, SHA256())
    return key.sign(text, ec.ECDSA(SHA384() if key.curve.key_size > 256 else SHA256()))


@pytest.mark.parametrize(
    "key",
    [
        Ed25519PrivateKey.generate(),
        ec.generate_private_key(ec.SECP256R1()),
        ec.generate_private_key(ec.SECP384R1()),
        rsa.generate_private_key(65537, 2048),
    ],
    ids=["ed25519", "p-256", "p-384", "rsa"],
)
def test_keys_of_every_usual_kind_are_known(tmp_path: Path, key: PRIVATE) -> None:
    trust(tmp_path, key)
    assert Signers(tmp_path).who_signed("acme", DIGEST, signed(key)) == ("dev@acme.test",)


def test_only_trusted_keys_of_the_same_tenant_count(tmp_path: Path) -> None:
    key, other = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    trust(tmp_path, key)
    trust(tmp_path, other, tenant="globex")
    signers = Signers(tmp_path)
    assert signers.who_signed("acme", DIGEST, signed(other)) == ()
    assert signers.who_signed("globex", DIGEST, signed(key)) == ()
    assert signers.who_signed("nobody", DIGEST, signed(key)) == ()
    assert Signers().who_signed("acme", DIGEST, signed(key)) == ()


def test_all_who_signed_are_told(tmp_path: Path) -> None:
    keys = [Ed25519PrivateKey.generate() for _ in range(3)]
    trust(tmp_path, keys[0], "b@acme.test")
    trust(tmp_path, keys[1], "a@acme.test")
    trust(tmp_path, Ed25519PrivateKey.generate(), "a@acme.test")
    assert Signers(tmp_path).who_signed("acme", DIGEST, signed(*keys)) == ("a@acme.test", "b@acme.test")


def test_what_was_signed_for_another_purpose_or_changed_does_not_count(tmp_path: Path) -> None:
    key = Ed25519PrivateKey.generate()
    trust(tmp_path, key)
    assert Signers(tmp_path).who_signed("acme", DIGEST, signed(key, kind="text/plain")) == ()
    whole = json.loads(signed(key))
    whole["payload"] = base64.b64encode(json.dumps(statement(predicate={"more": 1})).encode()).decode()
    assert Signers(tmp_path).who_signed("acme", DIGEST, json.dumps(whole)) == ()
    with pytest.raises(SignatureRefusedError):
        Signers(tmp_path).who_signed("acme", "cd" * 32, signed(key))


def test_weak_and_broken_keys_are_passed_over(tmp_path: Path) -> None:
    weak, good = rsa.generate_private_key(65537, 1024), Ed25519PrivateKey.generate()
    trust(tmp_path, weak)
    (tmp_path / "acme" / "broken.pem").write_text(
        "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", "ascii"
    )
    (tmp_path / "acme" / "notes.txt").write_text("no key", "ascii")
    trust(tmp_path, good, "good@acme.test")
    assert Signers(tmp_path).who_signed("acme", DIGEST, signed(weak)) == ()
    assert Signers(tmp_path).who_signed("acme", DIGEST, signed(weak, good)) == ("good@acme.test",)


def test_a_tenant_with_a_file_for_keys_trusts_nobody_else(tmp_path: Path) -> None:
    assert not Signers().trusts("acme")
    assert not Signers(tmp_path).trusts("acme")
    (tmp_path / "acme").mkdir()
    assert not Signers(tmp_path).trusts("acme")
    (tmp_path / "acme" / "dev@acme.test.pem").write_text("-----BEGIN CERTIFICATE-----\n", "ascii")
    assert Signers(tmp_path).trusts("acme")
    assert not Signers(tmp_path).trusts("globex")
