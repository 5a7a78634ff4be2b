"""The detached signature beside a package: a DSSE envelope around an in-toto statement about exactly that package.

Here it is only read: whether somebody who is trusted has signed it is for whoever deploys to find out.
"""

import base64
import binascii
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

STATEMENT_TYPE = "application/vnd.in-toto+json"

Base64 = Annotated[str, StringConstraints(min_length=4, pattern=r"^[A-Za-z0-9+/_-]+={0,2}$")]


class SignatureRefusedError(Exception):
    """It is no signature of this package; the message is one sentence."""


class _Open(BaseModel):
    """An object in which others may put more."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)


class Signature(_Open):
    """Somebody's signature over the payload; `keyid` is a hint and proves nothing."""

    keyid: str = Field("", max_length=500)
    sig: Base64


class Envelope(_Open):
    """A DSSE envelope."""

    payload_type: Literal["application/vnd.in-toto+json"] = Field(alias="payloadType")
    payload: Base64
    signatures: tuple[Signature, ...] = Field(min_length=1, max_length=20)

    @property
    def statement_bytes(self) -> bytes:
        """What was signed, together with its type. Raises SignatureRefusedError."""
        return decoded(self.payload)


class Subject(_Open):
    """Something that a statement is about, by its digests."""

    name: str = ""
    digest: dict[str, str]


class Statement(_Open):
    """An in-toto statement, version 1."""

    type: Literal["https://in-toto.io/Statement/v1"] = Field(alias="_type")
    subject: tuple[Subject, ...] = Field(min_length=1, max_length=1_000)
    predicate_type: str = Field(alias="predicateType", min_length=1, max_length=500)
    predicate: dict[str, Any] = {}


def read_signature(data: bytes, package_digest: str) -> tuple[Envelope, Statement]:
    """The envelope and the statement in it. Raises SignatureRefusedError when it is none, or about something else."""
    try:
        envelope = Envelope.model_validate_json(data)
        statement = Statement.model_validate_json(envelope.statement_bytes)
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in problem["loc"])
        raise SignatureRefusedError(
            f"It is no DSSE envelope around an in-toto statement: {where or 'the JSON'}: {problem['msg']}."
        ) from None
    for signature in envelope.signatures:
        decoded(signature.sig)
    if not any(subject.digest.get("sha256") == package_digest for subject in statement.subject):
        raise SignatureRefusedError("Its statement is not about this package: no subject has its sha256.")
    return envelope, statement


def decoded(text: str) -> bytes:
    """The bytes of base64 in either alphabet, as DSSE allows. Raises SignatureRefusedError."""
    plain = text.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except binascii.Error:
        raise SignatureRefusedError("It has something that is not base64.") from None
