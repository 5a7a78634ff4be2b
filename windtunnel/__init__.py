"""The product: plan, simulate and ship agent systems; knows nothing of GraphQL or HTTP."""

__version__ = "0.1.0"
