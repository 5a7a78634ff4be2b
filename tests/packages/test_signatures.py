"""Signatures as they are read: a DSSE envelope, around an in-toto statement, about this package."""

import base64
import json
from typing import Any

import pytest

from windtunnel.packages.signatures import SignatureRefusedError, read_signature

DIGEST = "ab" * 32


def statement(**changes: Any) -> dict[str, Any]:
    return {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "triage-1.0.0.agent.zip", "digest": {"sha256": DIGEST}}],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {"buildDefinition": {}},
    } | changes


def envelope(payload: Any = None, **changes: Any) -> bytes:
    text = payload if isinstance(payload, bytes) else json.dumps(payload or statement()).encode()
    whole = {
        "payloadType": "application/vnd.in-toto+json",
        "payload": base64.b64encode(text).decode(),
        "signatures": [{"keyid": "dev", "sig": base64.b64encode(b"signed").decode()}],
    } | changes
    return json.dumps(whole).encode()


def test_a_signature_is_read() -> None:
    found, told = read_signature(envelope(), DIGEST)
    assert json.loads(found.statement_bytes) == statement()
    assert told.predicate_type == "https://slsa.dev/provenance/v1"
    assert told.predicate == {"buildDefinition": {}}
    assert found.signatures[0].keyid == "dev"


def test_both_alphabets_of_base64_and_more_keys_are_taken() -> None:
    odd = json.dumps(statement(predicate={"x": "???>>>"})).encode()
    for payload in (base64.urlsafe_b64encode(odd).decode(), base64.b64encode(odd).decode().rstrip("=")):
        _, told = read_signature(envelope(payload=None) if not payload else _with(payload), DIGEST)
        assert told.predicate == {"x": "???>>>"}


def _with(payload: str) -> bytes:
    whole = json.loads(envelope()) | {"payload": payload, "more": 1}
    return json.dumps(whole).encode()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "the JSON"),
        (b"[]", "DSSE envelope"),
        (b"\xff", "the JSON"),
        (envelope(payloadType="text/plain"), "payloadType"),
        (envelope(signatures=[]), "signatures"),
        (envelope(signatures=[{"sig": "!"}]), "signatures.0.sig"),
        (envelope(signatures=[{"sig": "abcde"}]), "base64"),
        (_with("====="), "payload"),
        (_with("abcde"), "base64"),
        (envelope(b"{"), "the JSON"),
        (envelope(statement(_type="https://in-toto.io/Statement/v0.1")), "_type"),
        (envelope(statement(subject=[])), "subject"),
        (envelope(statement(subject=[{"digest": {"sha256": "cd" * 32}}])), "not about this package"),
        (envelope(statement(subject=[{"digest": {"sha512": DIGEST}}])), "not about this package"),
    ],
)
def test_anything_else_is_refused(data: bytes, said: str) -> None:
    with pytest.raises(SignatureRefusedError) as refused:
        read_signature(data, DIGEST)
    assert said in str(refused.value)
