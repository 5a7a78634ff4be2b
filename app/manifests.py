"""The manifest of trusted documents: what the clients' build made, in any of the forms that builds write."""

import json
from pathlib import Path
from typing import Any

from app.graphql.trusted import hash_in, hash_of
from app.settings import SettingsError

APOLLO = "apollo-persisted-query-manifest"


def load_manifest(path: Path | None) -> dict[str, str]:
    """Documents by their ids; none without a path. Raises SettingsError.

    Read are `{id: document}`, as Relay and GraphQL Code Generator write it, and Apollo's manifest. An id that is a
    SHA-256 must be that of its document; others, such as Relay's MD5, are names.
    """
    if path is None:
        return {}
    try:
        documents = _documents(json.loads(path.read_text("utf-8")))
    except (OSError, ValueError) as error:
        raise _refused(path, str(error).splitlines()[0]) from None
    for id_, text in documents.items():
        if (given := hash_in(id_)) and given != hash_of(text):
            raise _refused(path, f"{id_} is not the SHA-256 of its document")
    return documents


def _documents(manifest: Any) -> dict[str, str]:
    if isinstance(manifest, dict) and manifest.get("format") == APOLLO:
        found = {operation["id"]: operation["body"] for operation in manifest["operations"]}
    else:
        found = manifest
    if not isinstance(found, dict) or not all(isinstance(text, str) and text for text in found.values()):
        raise ValueError("not an object of ids and documents")
    return found


def _refused(path: Path, reason: str) -> SettingsError:
    return SettingsError(
        f"WINDTUNNEL_DOCUMENT_MANIFEST={str(path)!r} is refused: {reason}; allowed: a JSON file with an object "
        '{"HASH": "DOCUMENT"}, or a manifest as Apollo writes it.'
    )
