"""Signing in by our own API tokens, as programs do in every mode."""

import asyncio
import re
from contextlib import suppress

from app.sign_in.sessions import Session
from windtunnel.domain.errors import WindtunnelError
from windtunnel.domain.policy import TOKEN_USE_NOTED_EVERY_MS
from windtunnel.domain.tokens import SECRET_BYTES, TOKEN_MARK, digest_of
from windtunnel.storage import sign_in, tokens
from windtunnel.storage.sign_in import TokenHolder
from windtunnel.storage.store import Store

_SECRET = re.compile(rf"{TOKEN_MARK}[0-9a-f]{{{2 * SECRET_BYTES}}}")


class ApiTokens:
    """Knows whose token a secret is, by one statement; when it was used last is noted beside the request."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._noting: dict[str, asyncio.Task[None]] = {}

    async def __call__(self, token: str | None) -> Session | None:
        """The session of whoever has this secret; nobody comes without."""
        if token is None or not _SECRET.fullmatch(token):
            return None
        holder = await sign_in.by_token(self._store, digest_of(token))
        if holder is None:
            return None
        self._note_use(holder)
        return Session(holder.viewer, holder.at, holder.expires_at)

    async def close(self) -> None:
        """Let what is being noted be noted."""
        if self._noting:
            await asyncio.wait(self._noting.values())

    def _note_use(self, holder: TokenHolder) -> None:
        id_ = holder.viewer.token_id or ""
        if id_ in self._noting:
            return
        if holder.last_used_at and (holder.at - holder.last_used_at).total_seconds() * 1000 < TOKEN_USE_NOTED_EVERY_MS:
            return
        task = asyncio.create_task(self._note(holder.viewer.tenant_id, id_), name="token used")
        self._noting[id_] = task
        task.add_done_callback(lambda _: self._noting.pop(id_, None))

    async def _note(self, tenant_id: str, token_id: str) -> None:
        with suppress(WindtunnelError):  # the database is busy or down: the next request will tell
            await tokens.used(self._store, tenant_id, token_id, at_most_every_ms=TOKEN_USE_NOTED_EVERY_MS)
