"""Signed approvals: what was signed comes back, and nothing else does."""

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from windtunnel.domain.approvals import Approval, Approver, approval_of
from windtunnel.vault.approvals import ApprovalKeys, ApprovalRefusedError
from windtunnel.vault.key_files import KeyRefusedError

AT = datetime(2026, 11, 21, 12, 0, 0, 123_000, tzinfo=UTC)
APPROVAL = Approval(
    tenant_id="t",
    agent_id="a",
    deployment_id="d",
    version_id="v",
    package_digest="1" * 64,
    manifest_digest="2" * 64,
    policy_digest="3" * 64,
    config_digest="4" * 64,
    quorum=1,
    approvers=(Approver("p", AT),),
    approved_at=AT,
    not_after=AT,
    nonce="n",
)


def changed(envelope: str, **changes: Any) -> str:
    return json.dumps(json.loads(envelope) | changes)


def test_it_is_an_in_toto_statement_in_a_dsse_envelope() -> None:
    keys = ApprovalKeys.generate()
    signed = keys.sign_approval(APPROVAL)
    assert keys.verify_approval(signed) == APPROVAL
    envelope = json.loads(signed)
    assert envelope["payloadType"] == "application/vnd.in-toto+json"
    told = json.loads(base64.b64decode(envelope["payload"]))
    assert told["_type"] == "https://in-toto.io/Statement/v1"
    assert told["subject"] == [{"name": "1" * 64, "digest": {"sha256": "1" * 64}}]
    assert told["predicate"]["approvers"] == [{"person": "p", "at": "2026-11-21T12:00:00.123Z"}]


def test_what_was_changed_is_refused() -> None:
    keys = ApprovalKeys.generate()
    signed = keys.sign_approval(APPROVAL)
    other = json.loads(keys.sign_approval(replace(APPROVAL, deployment_id="e")))
    signatures = json.loads(signed)["signatures"]
    for wrong in (
        "",
        "[]",
        "{}",
        "\ud800",
        changed(signed, payload="!"),
        changed(signed, payload=other["payload"]),
        changed(signed, payloadType="text/plain"),
        changed(signed, signatures=[]),
        changed(signed, signatures=[{}]),
        changed(signed, signatures=7),
        changed(signed, signatures=[signatures[0] | {"keyid": "0"}]),
        changed(signed, signatures=[signatures[0] | {"keyid": 7}]),
        changed(signed, signatures=[signatures[0] | {"sig": other["signatures"][0]["sig"]}]),
        ApprovalKeys.generate().sign_approval(APPROVAL),
    ):
        with pytest.raises(ApprovalRefusedError):
            keys.verify_approval(wrong)


def test_what_is_no_approval_is_none() -> None:
    told = json.loads(APPROVAL.statement)
    assert approval_of(APPROVAL.statement) == APPROVAL
    for wrong in (
        b"",
        b"7",
        b"{}",
        json.dumps(told).encode(),  # not canonical
        json.dumps(told | {"more": 1}, separators=(",", ":"), sort_keys=True).encode(),
        APPROVAL.statement.replace(b"in-toto.io", b"in-toto.example"),
        APPROVAL.statement.replace(b'"target":"production"', b'"target":"elsewhere"'),
        APPROVAL.statement.replace(b"2026-11-21", b"sometime"),
    ):
        assert approval_of(wrong) is None


def test_the_key_file_is_made_once_and_can_be_rotated(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "approvals.key"
    first = ApprovalKeys.open(path)
    assert path.stat().st_mode & 0o777 == 0o600
    old = first.sign_approval(APPROVAL)
    assert ApprovalKeys.open(path).verify_approval(old) == APPROVAL
    newer = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(newer + path.read_bytes())
    rotated = ApprovalKeys.open(path)
    assert rotated.verify_approval(old) == APPROVAL
    with pytest.raises(ApprovalRefusedError):
        first.verify_approval(rotated.sign_approval(APPROVAL))
    wrong = X25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    for content in (b"", b"nonsense", wrong, newer + wrong):
        path.write_bytes(content)
        with pytest.raises(KeyRefusedError):
            ApprovalKeys.open(path)
    with pytest.raises(KeyRefusedError):
        ApprovalKeys()
