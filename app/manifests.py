"""The manifest of trusted documents: what the clients' build made, in any of the forms that builds write."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from app.graphql.trusted import hash_in, hash_of
from app.settings import SettingsError

Document = Annotated[str, Field(min_length=1)]


class _ApolloOperation(BaseModel):
    id: str
    body: Document


class _ApolloManifest(BaseModel):
    format: Literal["apollo-persisted-query-manifest"]
    version: Literal[1]
    operations: list[_ApolloOperation]


_MANIFEST = TypeAdapter[_ApolloManifest | dict[str, Document]](_ApolloManifest | dict[str, Document])


def load_manifest(path: Path | None) -> dict[str, str]:
    """Documents by their ids; none without a path. Raises SettingsError.

    Read are `{id: document}`, as Relay and GraphQL Code Generator write it, and Apollo's manifest. An id that is a
    SHA-256 must be that of its document; others, such as Relay's MD5, are names.
    """
    if path is None:
        return {}
    try:
        found = _MANIFEST.validate_json(path.read_bytes())
    except ValidationError as error:
        raise _refused(path, error.errors()[-1]["msg"]) from None
    except OSError as error:
        raise _refused(path, error.strerror or "unreadable") from None
    if isinstance(found, _ApolloManifest):
        found = {operation.id: operation.body for operation in found.operations}
    for id_, text in found.items():
        if (given := hash_in(id_)) and given != hash_of(text):
            raise _refused(path, f"{id_} is not the SHA-256 of its document")
    return found


def _refused(path: Path, reason: str) -> SettingsError:
    return SettingsError(
        f"WINDTUNNEL_DOCUMENT_MANIFEST={str(path)!r} is refused: {reason}; allowed: a JSON file with an object "
        '{"HASH": "DOCUMENT"}, or a manifest as Apollo writes it.'
    )
