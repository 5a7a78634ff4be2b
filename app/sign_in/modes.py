"""Who is let in: three ways to sign in, of which the settings choose one."""

from app.sign_in.sessions import Authenticate, Session
from windtunnel.domain.tokens import TOKEN_MARK
from windtunnel.domain.viewers import Viewer


def in_dev(tokens: Authenticate, default: Viewer) -> Authenticate:
    """Without a token whoever comes is `default`; with one, its person or nobody."""
    welcome = Session(default, is_checked=False)

    async def authenticate(token: str | None) -> Session | None:
        return welcome if token is None else await tokens(token)

    return authenticate


def by_oidc(tokens: Authenticate, issued_elsewhere: Authenticate) -> Authenticate:
    """People come with tokens of the OpenID provider, programs with ours."""

    async def authenticate(token: str | None) -> Session | None:
        if token is None:
            return None
        return await (tokens if token.startswith(TOKEN_MARK) else issued_elsewhere)(token)

    return authenticate
