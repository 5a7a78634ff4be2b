"""A server asked by a command: packages are put there, documents are executed, and what it refuses is one sentence."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any, cast

import httpx

from app.settings import Settings

TIMEOUT_S = 60.0
"""For each step of a request; an upload may take as long as it makes progress."""


PIECE_BYTES = 256 * 1024


class RefusedError(Exception):
    """The server does not want this; the message is what it says."""


class UnreachableServerError(Exception):
    """There is no server, or something else answers; the message is one sentence."""


class Client:
    """One server, and the token that it is asked with. Get it from `opened`."""

    def __init__(self, http: httpx.Client) -> None:
        self._http = http

    def put(self, path: str, file: Path) -> dict[str, Any]:
        """Send a file, piece by piece. Raises RefusedError, UnreachableServerError, OSError."""
        with file.open("rb") as content:
            pieces = iter(lambda: content.read(PIECE_BYTES), b"")
            headers = {"Content-Length": str(os.fstat(content.fileno()).st_size)}
            return _told(self._http.put(path, content=pieces, headers=headers))

    def ask(self, document: str, variables: Mapping[str, object]) -> dict[str, Any]:
        """The data of a document. Raises RefusedError, also for the `errors` of a mutation's payload."""
        answer = _told(self._http.post("/graphql", json={"query": document, "variables": variables}))
        for error in answer.get("errors") or []:
            raise RefusedError(str(error.get("message")))
        data = cast("dict[str, Any]", answer.get("data") or {})
        for payload in data.values():
            for error in (payload or {}).get("errors") or []:
                raise RefusedError(str(error.get("message")))
        return data


@contextmanager
def opened(settings: Settings) -> Iterator[Client]:
    """A client of the server in the settings. Raises UnreachableServerError when it is left because of that."""
    headers = {"Authorization": f"Bearer {settings.token}"} if settings.token else {}
    try:
        # Nothing is asked of another host than the one that was named: it would get the token.
        with httpx.Client(base_url=settings.server, headers=headers, timeout=TIMEOUT_S) as http:
            yield Client(http)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        why = str(error) or type(error).__name__
        raise UnreachableServerError(f"{settings.server} does not answer: {why}.") from error


def _told(response: httpx.Response) -> dict[str, Any]:
    try:
        answer = response.json()
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        what = f"{response.url.host} answers {response.status_code}"
        raise UnreachableServerError(f"{what}, and not as a Windtunnel server does.")
    failure = answer.get("error")
    if response.status_code == HTTPStatus.UNAUTHORIZED:
        raise RefusedError(
            "The server does not know who you are: set WINDTUNNEL_TOKEN to a token of this server (`wt_...`) that has "
            "not expired and was not revoked."
        )
    if isinstance(failure, dict):
        raise RefusedError(str(failure.get("message")))
    return answer
