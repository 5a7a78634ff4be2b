"""The entrance of one server process: how people come in, and what ends their stay."""

from dataclasses import dataclass

from app.sign_in.sessions import Authenticate, Session, SignInError
from app.sign_in.watch import Watch
from windtunnel.domain.viewers import NO_ROLE


@dataclass(frozen=True, slots=True)
class Entrance:
    """Lets people in by `authenticate`; `watch` ends what they follow when they may not any longer."""

    authenticate: Authenticate
    watch: Watch

    async def session_of(self, authorization: object) -> Session | None:
        """The session of an `Authorization` value, None when there is none and strangers are let in unnamed.

        Raises SignInError for anything given that is not a good bearer token, which never falls back to the default
        viewer, and for somebody without a role; and UnavailableError when it cannot be looked at now.
        """
        session = await self._session_of(authorization)
        if session is not None and not session.viewer.roles:
            raise SignInError(NO_ROLE)
        return session

    async def _session_of(self, authorization: object) -> Session | None:
        if authorization is None:
            return await self.authenticate(None)
        scheme, _, token = authorization.partition(" ") if isinstance(authorization, str) else ("", "", "")
        session = await self.authenticate(token.strip()) if scheme.lower() == "bearer" and token.strip() else None
        if session is None:
            raise SignInError("The token is not valid; send `Authorization: Bearer TOKEN` with a current one.")
        return session
