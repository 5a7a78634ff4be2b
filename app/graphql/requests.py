"""GraphQL requests over HTTP: from a query string or a JSON body to an operation."""

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request

from app.encoding import decode_json
from app.graphql.operations import Operation
from app.requests import RequestError, json_body


async def read_operation(request: Request) -> Operation:
    """The operation that a GET or POST asks for. Raises RequestError when it asks for none."""
    if request.method == "GET":
        return operation_of(_parameters(request))
    body = await json_body(request)
    if isinstance(body, list):
        raise RequestError(400, "Batches are not supported; send one operation per request.")
    if not isinstance(body, dict):
        raise RequestError(400, "The body must be a JSON object with a `query`.")
    return operation_of(body)


def operation_of(fields: Mapping[str, Any]) -> Operation:
    """The operation in a request's fields, on any transport. Raises RequestError when their types are wrong."""
    for key in ("query", "operationName", "documentId"):
        if not isinstance(fields.get(key), str | None):
            raise RequestError(400, f"`{key}` must be a string or null.")
    for key in ("variables", "extensions"):
        if not isinstance(fields.get(key), dict | None):
            raise RequestError(400, f"`{key}` must be an object or null.")
    query, document_id = fields.get("query") or None, fields.get("documentId") or None
    apollo_hash = _apollo_hash(fields.get("extensions") or {})
    if document_id is None and apollo_hash is None and query is None:
        raise RequestError(400, "The request needs a `query`, a string with a GraphQL document, or a `documentId`.")
    return Operation(
        query,
        fields.get("variables"),
        fields.get("operationName") or None,
        document_id=document_id or apollo_hash,
        is_apollo=document_id is None and apollo_hash is not None,
    )


def _apollo_hash(extensions: Mapping[str, Any]) -> str | None:
    """The hash that Apollo's clients send, and others after them; RequestError when it is none."""
    given = extensions.get("persistedQuery")
    if given is None:
        return None
    version, hash_ = (given.get("version"), given.get("sha256Hash")) if isinstance(given, dict) else (None, None)
    if version != 1 or not isinstance(hash_, str) or not hash_:
        raise RequestError(400, "`extensions.persistedQuery` must be `{version: 1, sha256Hash: HASH}`.")
    return hash_


def _parameters(request: Request) -> dict[str, Any]:
    parameters: dict[str, Any] = dict(request.query_params)
    for key in ("variables", "extensions"):
        if text := parameters.get(key):
            try:
                parameters[key] = decode_json(text)
            except ValueError as error:
                raise RequestError(400, f"`{key}` is not JSON: {error}.") from error
        else:
            parameters.pop(key, None)
    return parameters
