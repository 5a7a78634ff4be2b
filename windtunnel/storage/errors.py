"""What storage raises beside the expected failures of the domain: signals for the floor above, never for a client."""

from collections.abc import Iterator
from contextlib import contextmanager

from windtunnel.domain.errors import ErrorCode, UnavailableError, ValidationError


class ConstraintError(Exception):
    """The database itself refused the statement: a key that exists, a missing reference, a failed check."""


class RightError(ConstraintError):
    """The database's role may not do this, or not with this row."""


class DependedOnError(Exception):
    """Something else on the database server belongs to what is to be removed; the text names it, for operators."""


class LeaseLostError(Exception):
    """The compare-and-swap missed: the simulation or environment is over, gone, or someone's with a higher fence."""

    def __init__(self, id: str) -> None:
        super().__init__(f"{id} is no longer held from here.")
        self.id = id


class DeliveryLostError(Exception):
    """The compare-and-swap missed: the webhook is gone, or the delivery was claimed again by somebody else."""


class CommandsPendingError(Exception):
    """The simulation cannot succeed yet: a command was accepted that no step has been fixed for. Nothing was stored."""


NOT_CURRENT = "The database is not at the current schema; run `windtunnel migrate` first."


class RevisionError(UnavailableError):
    """The schema of the database is not the one that this code needs."""


class RoleError(UnavailableError):
    """The database's user is not allowed what this process has to do."""


def down() -> UnavailableError:
    """The database does not answer, or cannot store anything."""
    return UnavailableError("The database cannot be used right now. Try again in a moment.")


def closed() -> UnavailableError:
    """The store was closed by ourselves."""
    return UnavailableError("The database is closed: the server is shutting down. Try again in a moment.")


def unstorable() -> ValidationError:
    """A text has characters that the database cannot hold, and nothing refused them earlier."""
    return ValidationError("The text contains characters that cannot be stored.", rule="string_unstorable")


@contextmanager
def too_busy_after_a_while() -> Iterator[None]:
    """Turn a timeout into UnavailableError with code TIMEOUT."""
    try:
        yield
    except TimeoutError:
        raise UnavailableError(
            "The database is too busy to answer in time. Try again in a moment.", code=ErrorCode.TIMEOUT
        ) from None
