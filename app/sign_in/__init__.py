"""Who is asking: the token of a request, and the function that knows whose it is."""

from collections.abc import Awaitable, Callable, Mapping

from windtunnel.domain.viewers import Viewer

Authenticate = Callable[[str | None], Awaitable[Viewer | None]]
"""The viewer whose token this is; given None, whoever may come without one. None: nobody."""


class SignInError(Exception):
    """A token was given and is nobody's; the message says so to the client."""


async def viewer_of(authenticate: Authenticate, authorization: object) -> Viewer | None:
    """The viewer of an `Authorization` value, None when there is none and strangers are let in unnamed.

    Raises SignInError for anything given that is not a good bearer token: it never falls back to the default viewer.
    """
    if authorization is None:
        return await authenticate(None)
    scheme, _, token = authorization.partition(" ") if isinstance(authorization, str) else ("", "", "")
    viewer = await authenticate(token.strip()) if scheme.lower() == "bearer" and token.strip() else None
    if viewer is None:
        raise SignInError("The token is not valid; send `Authorization: Bearer TOKEN` with a current one.")
    return viewer


def authorization_in(params: Mapping[str, object]) -> object:
    """The `authorization` of a `connection_init` payload, in any letter case; None when there is none."""
    return next((value for key, value in params.items() if key.lower() == "authorization"), None)
