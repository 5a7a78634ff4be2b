"""Reading the review queue."""

from windtunnel.domain.pages import Page, PageRequest
from windtunnel.domain.permissions import Action
from windtunnel.domain.reviews import Review, ReviewFilter
from windtunnel.domain.viewers import Viewer
from windtunnel.operations.permit import permit
from windtunnel.operations.services import Services
from windtunnel.storage import reviews


async def read_review_queue(
    services: Services, viewer: Viewer, request: PageRequest, wanted: ReviewFilter
) -> Page[Review]:
    """A page of the viewer's tenant's reviews, the first to expire first. Raises ForbiddenError.

    Those that wait, when no status is wanted.
    """
    await permit(services, viewer, Action.READ_REVIEW_QUEUE)
    return await reviews.queue(services.store, viewer.tenant_id, request, wanted)
