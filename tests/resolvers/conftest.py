"""Services on both databases, and a viewer."""

from tests.graphql.conftest import client, services

__all__ = ["client", "services"]
