"""Documents by their hash: of a manifest made with the clients, or learnt from them as they come."""

import hashlib
import re
from collections.abc import Mapping
from typing import Literal

from app.graphql.learnt import LearntDocuments
from app.graphql.operations import Operation
from windtunnel.domain.errors import ErrorCode, WindtunnelError

Mode = Literal["off", "allow", "only"]
PREFIXED = re.compile(r"(?:sha256:)?([0-9a-f]{64})")
APOLLO_NOT_FOUND = "PersistedQueryNotFound"
"""Apollo's word: its clients, and urql's, know by the message that they should send the text along."""
APOLLO_NOT_SUPPORTED = "PersistedQueryNotSupported"
"""The same clients send nothing but texts from then on."""


class DocumentError(WindtunnelError):
    """There is no document to run under this id."""

    default_code = ErrorCode.PERSISTED_DOCUMENT_NOT_FOUND


class TrustedDocuments:
    """Finds the text of each operation.

    `off`: texts only. `allow`: texts, documents of the manifest by their ids, and those that the same tenant sent
    before together with their hash. `only`: documents of the manifest and nothing else, by id or by text.
    """

    def __init__(self, mode: Mode = "allow", manifest: Mapping[str, str] | None = None) -> None:
        given = dict(manifest or {})
        self._mode = mode
        self._manifest = given | {hash_of(text): text for text in given.values()}
        self._learnt = LearntDocuments()

    def text_of(self, operation: Operation, tenant_id: str | None) -> str:
        """The document to run. Raises DocumentError."""
        text = operation.query
        if self._mode == "off" or operation.document_id is None:
            if text is None or (self._mode == "only" and hash_of(text) not in self._manifest):
                raise self._unknown(operation)
            return text
        id_ = hash_in(operation.document_id) or operation.document_id
        known = self._manifest.get(id_)
        if known is None and self._mode == "allow":
            known = self._learnt.get(tenant_id or "", id_) if text is None else text
            if text is not None and hash_of(text) != id_:
                raise _mismatch()
        if known is None:
            raise self._unknown(operation)
        if text is not None and text != known:
            raise _mismatch()
        return known

    def learn(self, operation: Operation, tenant_id: str | None) -> None:
        """Remember, for a tenant, a valid document that came with its hash."""
        hash_ = hash_in(operation.document_id or "")
        if self._mode == "allow" and operation.query and hash_ and tenant_id:
            self._learnt.put(tenant_id, hash_, operation.query)

    def _unknown(self, operation: Operation) -> DocumentError:
        if self._mode == "only":
            return DocumentError("Only documents of this server's manifest are run here.")
        if operation.is_apollo:
            return DocumentError(APOLLO_NOT_SUPPORTED if self._mode == "off" else APOLLO_NOT_FOUND)
        return DocumentError("There is no document with this id; send its text as `query`.")


def _mismatch() -> DocumentError:
    return DocumentError("The id is not that of the document sent with it.", code=ErrorCode.BAD_USER_INPUT)


def hash_in(id_: str) -> str | None:
    """The digits of an id that is a SHA-256, with its prefix or without; None for any other id."""
    found = PREFIXED.fullmatch(id_)
    return found[1] if found else None


def hash_of(text: str) -> str:
    """SHA-256 of a document, in lower-case hexadecimal."""
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()
