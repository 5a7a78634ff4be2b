"""Services on both databases, and a viewer."""

from tests.graphql.conftest import client, eve, services

__all__ = ["client", "eve", "services"]
