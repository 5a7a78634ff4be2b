"""Who takes part in the pipeline's random lives, and the packages that they hand in."""

import copy
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.operations.packages_world import mine, uploaded
from tests.operations.review_world import person
from tests.operations.validating import signed, trusted
from tests.packages.world import MANIFEST
from windtunnel.domain.viewers import Role, Viewer
from windtunnel.operations.services import Services
from windtunnel.operations.sign_package import sign_package
from windtunnel.storage import people, tenants

ROLES = {
    "ada": [Role.ADMIN],
    "dan": [Role.DEVELOPER],
    "dora": [Role.DEVELOPER, Role.SECURITY_REVIEWER],
    "omar": [Role.OPERATOR],
    "ray": [Role.SECURITY_REVIEWER],
    "rita": [Role.SECURITY_REVIEWER],
}
EVERYBODY, SUBMITTERS, REVIEWERS = sorted(ROLES), ["ada", "dan", "dora"], ["dora", "ray", "rita"]


def address(name: str) -> str:
    return f"{name}@acme.test"


async def everybody(services: Services) -> dict[str, Viewer]:
    """The people by their names, with the roles that they begin with."""
    demo = await tenants.ensure_demo(services.store)
    return {name: await person(services, demo, address(name), *roles) for name, roles in ROLES.items()}


async def given(services: Services, viewer: Viewer, roles: Iterable[Role]) -> Viewer:
    """The viewer, having these roles from now on."""
    async with services.store.transaction(viewer.tenant_id):
        await people.set_roles(services.store, viewer.tenant_id, viewer.user.id, list(roles))
    return replace(viewer, roles=frozenset(roles))


def signer_in(directory: Path) -> Ed25519PrivateKey:
    """The key of somebody who signs packages and is nobody of the tenant."""
    return trusted(directory, "demo", "builds@elsewhere.test")


async def handed_in(  # noqa: PLR0917 - read in this order
    services: Services, viewer: Viewer, slug: str, number: str, owner: str, key: Ed25519PrivateKey | None, nonce: int
) -> str:
    """The digest of a package that was uploaded; restricted, and signed, with a key."""
    data = copy.deepcopy(MANIFEST["data"])
    if key is not None:
        data["classification"] = "restricted"
    declared = {"name": f"demo/{slug}", "version": number, "owners": [address(owner)], "data": data}
    digest = await uploaded(services, viewer, mine(**declared, _meta={"test.acme.nonce": nonce}))
    if key is not None:
        await sign_package(services, viewer, digest, signed(key, digest))
    return digest
