"""The doors for agent packages: their bytes, and the signatures beside them."""

from collections import Counter
from collections.abc import Iterator
from contextlib import aclosing, contextmanager

from starlette.requests import Request
from starlette.responses import Response

from app.answers import answered, json_response, paying_session
from app.limiting.limiter import Limiter
from app.requests import RequestError, declared_length, read_body, streamed_body
from app.sign_in.entrance import Entrance
from app.sign_in.watch import while_signed_in
from windtunnel.domain.errors import RateLimitedError
from windtunnel.domain.policy import (
    MUTATION_POINTS,
    PACKAGE_SIGNATURE_MAX_BYTES,
    PACKAGE_UPLOADS_AT_ONCE_PER_TENANT,
)
from windtunnel.operations.services import Services
from windtunnel.operations.sign_package import sign_package
from windtunnel.operations.upload_package import upload_package

_COME_AGAIN_S = 5


class Packages:
    """The handlers. A body is never held in memory: it goes to the store of packages as it comes."""

    def __init__(self, services: Services, entrance: Entrance, limiter: Limiter) -> None:
        self._services = services
        self._entrance = entrance
        self._limiter = limiter
        self._under_way: Counter[str] = Counter()

    async def upload(self, request: Request) -> Response:
        """`PUT /packages`, the archive in the body: 201 `{digest, sizeBytes}`, also when it was there before."""
        return await answered(self._upload, request)

    async def sign(self, request: Request) -> Response:
        """`PUT /packages/{digest}/signature`, a DSSE envelope in the body: 201 `{digest, signatureDigest}`."""
        return await answered(self._sign, request)

    async def _upload(self, request: Request) -> Response:
        session = await paying_session(request, self._entrance, self._limiter, MUTATION_POINTS)
        viewer = session.viewer_in(request.state.request_id)
        _demand_plain(request)
        body = streamed_body(request)
        lasting = while_signed_in(self._entrance.watch, session, body)
        with self._slot(viewer.tenant_id):
            async with aclosing(body), aclosing(lasting):
                package = await upload_package(self._services, viewer, lasting, declared_bytes=declared_length(request))
        return json_response({"digest": package.digest, "sizeBytes": package.size_bytes}, 201)

    async def _sign(self, request: Request) -> Response:
        session = await paying_session(request, self._entrance, self._limiter, MUTATION_POINTS)
        viewer = session.viewer_in(request.state.request_id)
        _demand_plain(request)
        envelope = await read_body(request, PACKAGE_SIGNATURE_MAX_BYTES)
        signature = await sign_package(self._services, viewer, request.path_params["digest"], envelope)
        return json_response({"digest": signature.digest, "signatureDigest": signature.signature_digest}, 201)

    @contextmanager
    def _slot(self, tenant_id: str) -> Iterator[None]:
        """One of the uploads that a tenant may have under way here."""
        if self._under_way[tenant_id] >= PACKAGE_UPLOADS_AT_ONCE_PER_TENANT:
            raise RateLimitedError(
                f"At most {PACKAGE_UPLOADS_AT_ONCE_PER_TENANT} packages of a tenant are uploaded at a time;"
                f" try again in {_COME_AGAIN_S} s.",
                retry_after_s=_COME_AGAIN_S,
            )
        self._under_way[tenant_id] += 1
        try:
            yield
        finally:
            self._under_way[tenant_id] -= 1
            if not self._under_way[tenant_id]:
                del self._under_way[tenant_id]


def _demand_plain(request: Request) -> None:
    """A digest is that of the bytes that were sent: nobody unpacks them on the way."""
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise RequestError(415, "Send the body as it is, without a Content-Encoding.")
