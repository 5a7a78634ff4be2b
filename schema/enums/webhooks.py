"""What becomes of messages to webhooks."""

from schema.enums.describe import describe
from windtunnel.domain.webhooks import DeliveryStatus

describe(
    DeliveryStatus,
    "Where a message to a webhook is.",
    {
        "PENDING": "It is to be sent, for the first time or again.",
        "DELIVERED": "The receiver has answered with success.",
        "DEAD": "It was given up: a dead letter.",
    },
    name="WebhookDeliveryStatus",
)
