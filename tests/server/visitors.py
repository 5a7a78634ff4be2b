"""Who visits the tiny schema: the demo viewer, somebody of another tenant, and nobody."""

from collections.abc import Collection, Mapping

from app.sign_in.entrance import Entrance
from app.sign_in.sessions import Session
from app.sign_in.watch import Watch
from windtunnel.domain.viewers import Role, Tenant, User, Viewer

DEMO = Viewer(User("u", "t", "You", "you@demo.local"), Tenant("t", "demo", "Demo"), frozenset(Role))
OTHER = Viewer(User("o", "p", "Other", None), Tenant("p", "other", "Other"), frozenset({Role.AUDITOR}))


async def authenticate(token: str | None) -> Session | None:
    """No token: the demo viewer; `other`: a viewer of another tenant; anything else: nobody."""
    if token not in {None, "other"}:
        return None
    return Session(OTHER if token else DEMO, is_checked=False)


async def authenticate_strictly(token: str | None) -> Session | None:
    """Nobody comes without a token."""
    return None if token is None else await authenticate(token)


async def _nobody(tokens: Collection[str], people: Collection[str]) -> Mapping[str, frozenset[Role]]:
    """Nobody of theirs is checked."""
    return {}


def entrance(*, strict: bool = False) -> Entrance:
    """Where they come in."""
    return Entrance(authenticate_strictly if strict else authenticate, Watch(_nobody))
