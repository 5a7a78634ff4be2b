"""What every route but `/graphql` has in common: who asks and pays, and how answers and failures are shown."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from app.encoding import encode_json
from app.limiting.limiter import Limiter, address_of
from app.requests import RequestError, retry_after
from app.sign_in.entrance import Entrance
from app.sign_in.sessions import Session, SignInError
from app.statuses import status_of
from windtunnel.domain.errors import ErrorCode, RateLimitedError, WindtunnelError

Handler = Callable[[Request], Awaitable[Response]]


def json_response(value: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A JSON response."""
    return Response(encode_json(value), status, headers, "application/json")


def error_response(code: ErrorCode, message: str, status: int, headers: dict[str, str] | None = None) -> Response:
    """A failure as every route but `/graphql` shows it."""
    return json_response({"error": {"code": code, "message": message}}, status, headers)


async def answered(handler: Handler, request: Request) -> Response:
    """The handler's response; an expected failure becomes `{"error": {"code", "message"}}` with the code's status."""
    try:
        return await handler(request)
    except RequestError as error:
        return error_response(error.code, error.message, error.status, error.headers)
    except SignInError as error:
        return error_response(ErrorCode.UNAUTHENTICATED, str(error), 401, {"WWW-Authenticate": "Bearer"})
    except RateLimitedError as error:
        return error_response(error.code, error.message, status_of(error.code), retry_after(error.retry_after_s))
    except WindtunnelError as error:
        return error_response(error.code, error.message, status_of(error.code))


async def paying_session(request: Request, entrance: Entrance, limiter: Limiter, points: int) -> Session:
    """Who asks, and has paid for it. Raises SignInError for nobody, and RateLimitedError."""
    address, authorization = address_of(request), request.headers.get("authorization")
    session = await limiter.letting_in(authorization, address, lambda: entrance.session_of(authorization))
    await limiter.account(session.viewer if session else None, address).pay(points)
    if session is None:
        raise SignInError("Sign in first: send a token as `Authorization: Bearer TOKEN`.")
    return session
