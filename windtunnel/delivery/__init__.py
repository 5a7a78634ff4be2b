"""Outgoing webhooks: where they may lead, how they are signed, and how they are sent."""
