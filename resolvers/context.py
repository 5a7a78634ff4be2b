"""What every resolver is given: the services, who is asking, and what this operation has loaded so far."""

from dataclasses import dataclass, field

from resolvers.loaders import Loaders
from windtunnel.domain.allowances import Bill
from windtunnel.domain.entities import Subject
from windtunnel.domain.errors import ErrorCode, ForbiddenError
from windtunnel.domain.permissions import Action
from windtunnel.domain.viewers import NO_ROLE, Viewer
from windtunnel.operations.services import Services


@dataclass(slots=True)
class Context:
    """Made afresh for every operation. `viewer` is None when nobody has signed in.

    The transport sets `connection_params`, the payload of a WebSocket's connection_init, and `bill`, the operation's
    cost.
    """

    services: Services
    viewer: Viewer | None
    request_id: str
    connection_params: object = None
    bill: Bill = field(default_factory=Bill)
    refused: set[tuple[Action, Subject | None]] = field(default_factory=set, init=False, repr=False)
    """What was denied in this operation, and is on record."""
    _loaders: Loaders | None = field(default=None, init=False, repr=False)

    def signed_in(self) -> Viewer:
        """The viewer; ForbiddenError with code UNAUTHENTICATED when there is none, or one without a role."""
        if self.viewer is None:
            raise ForbiddenError(
                "Sign in first: send a token as `Authorization: Bearer TOKEN`.", code=ErrorCode.UNAUTHENTICATED
            )
        if not self.viewer.roles:
            raise ForbiddenError(NO_ROLE, code=ErrorCode.UNAUTHENTICATED)
        return self.viewer

    @property
    def tenant_id(self) -> str:
        """The one tenant whose things may be shown."""
        return self.signed_in().tenant_id

    @property
    def loaders(self) -> Loaders:
        """Batched reads of what the viewer may see, each thing read once until `forget`."""
        if self._loaders is None:
            self._loaders = Loaders(self.services, self.signed_in())
        return self._loaders

    def forget(self) -> None:
        """Drop everything loaded: what follows is read anew."""
        self._loaders = None
