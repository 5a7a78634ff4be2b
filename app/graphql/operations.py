"""What a client asks for, who asks, and what it is answered: the same on every transport."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from app.limiting.limiter import Account
from app.sign_in.sessions import Session
from windtunnel.domain.viewers import Viewer


@dataclass(frozen=True, slots=True)
class Operation:
    """A document, by its text or by an id, and how to run it. `is_apollo`: the id came as Apollo's clients send it."""

    query: str | None
    variables: dict[str, Any] | None = None
    name: str | None = None
    document_id: str | None = None
    is_apollo: bool = False


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, under which id the logs speak of it, and what it costs; without an account nobody counts."""

    session: Session | None
    request_id: str
    connection_params: dict[str, Any] = field(default_factory=dict)
    account: Account | None = None

    @property
    def viewer(self) -> Viewer | None:
        """Who asks; nobody has signed in without one."""
        return self.session.viewer_in(self.request_id) if self.session else None

    @property
    def tenant_id(self) -> str | None:
        """The viewer's tenant."""
        return self.session.viewer.tenant_id if self.session else None


MakeContext = Callable[[Caller], object]
"""Makes the context of one operation; the schema's loaders live in it, so it is never shared by two."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One result. `refused`: nothing was executed. `final`: the source failed, and nothing can follow."""

    body: dict[str, Any]
    refused: bool = False
    final: bool = False

    @property
    def errors(self) -> list[dict[str, Any]]:
        """The errors as clients see them; empty when there are none."""
        found: list[dict[str, Any]] = self.body.get("errors", [])
        return found

    @property
    def retry_after_s(self) -> int | None:
        """How long a client that asked too often should wait."""
        found: int | None = self.errors[0]["extensions"].get("retryAfter") if self.errors else None
        return found


class RefusedError(Exception):
    """The operation is not let in; the answer says why."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.errors[0]["message"])
        self.answer = answer
