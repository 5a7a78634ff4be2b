"""Somebody who is signed in: who, until when, and what would end it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from time import monotonic

from windtunnel.domain.viewers import Viewer


class SignInError(Exception):
    """A token was given and is nobody's, or has ceased to be somebody's; the message says so to the client."""


@dataclass(frozen=True, slots=True, eq=False)
class Session:
    """A viewer with the moment at which they came and the one at which their token ends, on the store's clock.

    `is_checked` is False for whoever came without a token: nothing can be taken away from them.
    """

    viewer: Viewer
    at: datetime | None = None
    expires_at: datetime | None = None
    is_checked: bool = True
    began: float = field(default_factory=monotonic)

    def viewer_in(self, request_id: str) -> Viewer:
        """The viewer of one request."""
        return replace(self.viewer, request_id=request_id)

    @property
    def can_end(self) -> bool:
        """Whether it must be watched."""
        return self.is_checked or self.expires_at is not None

    @property
    def seconds_left(self) -> float | None:
        """Until the token ends by itself, below 0 when it has; None: it does not."""
        if self.at is None or self.expires_at is None:
            return None
        return (self.expires_at - self.at).total_seconds() - (monotonic() - self.began)


Authenticate = Callable[[str | None], Awaitable[Session | None]]
"""The session of whoever has this token; given None, of whoever may come without one. None: nobody."""


def authorization_in(params: Mapping[str, object]) -> object:
    """The `authorization` of a `connection_init` payload, in any letter case; None when there is none."""
    return next((value for key, value in params.items() if key.lower() == "authorization"), None)
