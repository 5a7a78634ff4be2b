"""What every request passes first: a request id, the Host and Origin checks, and headers that keep browsers careful."""

import re
from collections.abc import Collection
from contextlib import suppress

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.requests import error_body
from windtunnel.domain.errors import ErrorCode
from windtunnel.domain.ids import new_id

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
READING_METHODS = frozenset({"GET", "HEAD"})
PAGE = "/graphql"
OPERATIONS = (PAGE, "/simulations/")
"""What is asked for by GET; the rest of the paths is about no tenant."""
ELSEWHERE = frozenset({"cross-site", "same-site"})
"""Values of Sec-Fetch-Site by which a browser says that a page of another origin asks."""
DEFAULT_PORTS = {"http": 80, "https": 443}
HOST = re.compile(r"([\w.-]+|\[[0-9a-f:.]+\])(?::([0-9]{1,5}))?", re.ASCII | re.IGNORECASE)
SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
}

log = structlog.get_logger()


class Guards:
    """ASGI middleware around the whole application.

    A page of another origin may neither ask for an operation nor open a WebSocket, unless its origin is allowed; it
    may have a link to GraphiQL, where there is one. With `loopback_only` a name that someone pointed at this machine
    is no way in (DNS rebinding).
    """

    def __init__(
        self, app: ASGIApp, *, loopback_only: bool, allowed_origins: Collection[str] = (), graphiql: bool = True
    ) -> None:
        self._app = app
        self._graphiql = graphiql
        self._loopback_only = loopback_only
        self._allowed_origins = frozenset(origin.lower().rstrip("/") for origin in allowed_origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request pass, or answer 403."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        request_id = _request_id(headers)
        scope.setdefault("state", {})["request_id"] = request_id
        sender = _Sender(send, request_id)
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            if refusal := self._refusal(scope, headers):
                await _refuse(refusal, scope, receive, sender)
                return
            try:
                await self._app(scope, receive, sender)
            except Exception:
                if scope["type"] == "http" and sender.started:
                    raise
                log.exception("defect", path=scope["path"])
                if scope["type"] == "websocket":
                    with suppress(RuntimeError, OSError):  # it is closed already
                        await sender({"type": "websocket.close", "code": 1011, "reason": "Internal server error"})
                    return
                await JSONResponse(error_body(ErrorCode.INTERNAL, "Internal server error."), 500)(
                    scope, receive, sender
                )

    def _refusal(self, scope: Scope, headers: Headers) -> str | None:
        hosts = headers.getlist("host")
        host = ", ".join(hosts)  # no name has a comma: several are as good as none
        address = _host_and_port(host)
        if hosts and address is None:
            return f"Send one Host header, a name and perhaps a port, not {host!r}."
        if self._loopback_only and (address is None or address[0] not in LOOPBACK_NAMES):
            return f"Ask for this server as localhost or 127.0.0.1, not as {host!r}."
        origin = headers.get("origin")
        changes = scope["type"] == "websocket" or scope["method"] not in SAFE_METHODS
        comes_from_page = origin is not None if changes else self._reads_for_others(scope, headers)
        if comes_from_page and not self._is_allowed((origin or "").lower(), host):
            whose = repr(origin) if origin is not None else "another origin"
            return f"Pages of {whose} may not use this server; WINDTUNNEL_ALLOWED_ORIGINS can allow them."
        return None

    def _reads_for_others(self, scope: Scope, headers: Headers) -> bool:
        """Whether a page of another origin asks for an operation; browsers tell so, and let no page say otherwise."""
        asks = scope["method"] in READING_METHODS and scope["path"].startswith(OPERATIONS)
        if not asks or headers.get("sec-fetch-site", "").lower() not in ELSEWHERE:
            return False
        follows_link = headers.get("sec-fetch-mode", "").lower() == "navigate"
        return not (follows_link and self._graphiql and scope["path"] == PAGE)

    def _is_allowed(self, origin: str, host: str) -> bool:
        if origin in self._allowed_origins:
            return True
        scheme, _, origin_host = origin.partition("://")
        same = _host_and_port(host, scheme)
        return same is not None and _host_and_port(origin_host, scheme) == same


class _Sender:
    """Adds the headers to whatever is answered."""

    def __init__(self, send: Send, request_id: str) -> None:
        self._send = send
        self._request_id = request_id
        self.started = False

    async def __call__(self, message: Message) -> None:
        if message["type"] in {"http.response.start", "websocket.http.response.start"}:
            self.started = True
            message.setdefault("headers", [])
            headers = MutableHeaders(scope=message)
            for name, value in SECURITY_HEADERS.items():
                headers.setdefault(name, value)
            headers["X-Request-Id"] = self._request_id
        await self._send(message)


async def _refuse(reason: str, scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket" and "websocket.http.response" not in scope.get("extensions", {}):
        await send({"type": "websocket.close", "code": 1008, "reason": reason[:120]})
        return
    await JSONResponse(error_body(ErrorCode.FORBIDDEN, reason), 403)(scope, receive, send)


def _request_id(headers: Headers) -> str:
    given = headers.get("x-request-id", "")
    return given if re.fullmatch(r"[\w.-]{8,64}", given, re.ASCII) else new_id()


def _host_and_port(host: str, scheme: str = "http") -> tuple[str, int | None] | None:
    """The parts of `name` or `name:port`; None for anything else, such as `user@name` or `name/path`."""
    found = HOST.fullmatch(host)
    if found is None:
        return None
    return found[1].lower().strip("[]"), int(found[2]) if found[2] else DEFAULT_PORTS.get(scheme)
