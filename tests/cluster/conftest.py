"""A cluster with a pipeline for all tests of a module."""

from collections.abc import Iterator

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.cluster.attempts import People
from tests.cluster.pipeline import Servers, running
from tests.databases import postgres_database
from tests.packages.test_signers import trust

KEY = Ed25519PrivateKey.generate()
"""Signs packages; it is trusted."""


@pytest.fixture(scope="module")
def servers(
    postgres_url: str, postgres_template: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Servers]:
    with postgres_database(postgres_url, postgres_template) as url:
        directory = tmp_path_factory.mktemp("races")
        trust(directory / "signers", KEY, "signer@acme.test", "acme")
        settings = {
            "WINDTUNNEL_DATABASE_URL": url,
            "WINDTUNNEL_REDIS_URL": redis_url,
            "WINDTUNNEL_DATA_DIR": str(directory),
        }
        with running(settings) as servers:
            yield servers


@pytest.fixture(scope="module")
def people(servers: Servers) -> People:
    return People(
        servers.hired("ada", "DEVELOPER", "SECURITY_REVIEWER"),
        [servers.hired(name, "SECURITY_REVIEWER") for name in ("bob", "cyd", "dee", "eli")],
        [servers.hired(name, "OPERATOR") for name in ("oda", "pia")],
        servers.hired("gus", "ADMIN"),
        servers.hired("flo", "AUDITOR"),
    )
