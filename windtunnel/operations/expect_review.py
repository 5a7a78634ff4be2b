"""When a deployment's review is expected to be decided: said at submission, and the same when the review begins."""

import asyncio

from windtunnel.domain.deployments import Deployment
from windtunnel.domain.expected_review import Expectation, expected_review
from windtunnel.operations.read_package import opened
from windtunnel.operations.services import Services
from windtunnel.packages.glancing import classification_in
from windtunnel.storage import agent_versions, review_pace, reviews


async def expect_review(services: Services, deployment: Deployment, classification: str | None) -> Expectation:
    """The expectation as of the submission, whenever it is asked for; the classification is that of the manifest.

    It may be called in the transaction in which the review begins.
    """
    store, tenant_id = services.home.store, deployment.tenant_id
    pace = await review_pace.pace(store, tenant_id, classification, deployment.submitted_at)
    return expected_review(deployment.submitted_at, pace)


async def expectation_of(services: Services, deployment: Deployment) -> Expectation:
    """That of the deployment's review; before there is one, as it will be. Raises UnavailableError."""
    store, tenant_id = services.home.store, deployment.tenant_id
    review = (await reviews.of_deployments(store, tenant_id, [deployment.id])).get(deployment.id)
    if review is not None:
        return Expectation(review.expected_at, review.expected_basis)
    if deployment.version_id is None:
        return await expect_review(services, deployment, await classification_of(services, deployment.package_digest))
    version = (await agent_versions.get_many(store, tenant_id, [deployment.version_id]))[deployment.version_id]
    return await expect_review(services, deployment, version.classification)


async def classification_of(services: Services, digest: str) -> str | None:
    """What the package's manifest says, if it can be read. Raises UnavailableError."""
    file = await opened(services, digest)

    def look() -> str | None:
        with file:
            return classification_in(file)

    return await asyncio.to_thread(look)
