"""An architecture as JSON: canonical, named like the schema, and back again."""

import json
from hashlib import sha256

import pytest

from tests.examples import pipeline, review_loop, support_triage
from windtunnel.domain.architectures import Architecture, architecture_from_json, canonical_json, digest_of

EXAMPLES = pytest.mark.parametrize("architecture", [support_triage(), pipeline(), review_loop()])


@EXAMPLES
def test_json_comes_back_as_the_same_architecture(architecture: Architecture) -> None:
    assert architecture_from_json(canonical_json(architecture)) == architecture


@EXAMPLES
def test_json_is_canonical_and_the_digest_names_it(architecture: Architecture) -> None:
    text = canonical_json(architecture)
    value = json.loads(text)
    assert text.decode() == json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert digest_of(architecture) == sha256(text).hexdigest()


@EXAMPLES
def test_keys_are_the_schemas(architecture: Architecture) -> None:
    value = json.loads(canonical_json(architecture))
    assert {"failureModes", "entryPoints", "exitPoints", "clarifyingQuestions"} <= set(value)
    assert {"maxAttempts", "backoffMs", "circuitBreaker"} <= set(value["agents"][0]["policy"])
