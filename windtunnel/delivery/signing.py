"""Signatures of webhooks, as Standard Webhooks 1.0 has them."""

import base64
import secrets
from datetime import datetime

from standardwebhooks import Webhook

_SECRET_BYTES = 32
_PREFIX = "whsec_"


def new_secret() -> str:
    """A secret to sign with, in the form in which receivers' libraries take it."""
    return _PREFIX + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def signed_headers(secret: str, message_id: str, sent_at: datetime, body: str) -> dict[str, str]:
    """The headers that let a receiver check who sent `body`, when (an aware time), and that it is no replay.

    All attempts to deliver one message have the same `message_id`, which has no full stop in it.
    """
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(sent_at.timestamp())),
        "webhook-signature": Webhook(secret).sign(message_id, sent_at, body),
    }
