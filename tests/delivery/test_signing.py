import base64
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from windtunnel.delivery.signing import new_secret, signed_headers

BODY = '{"type":"SIMULATION_FINISHED","data":{"title":"Fertig \\u00e4"}}'


def test_secrets_are_as_the_specification_wants_them() -> None:
    secrets = {new_secret() for _ in range(100)}
    assert len(secrets) == 100
    for secret in secrets:
        assert secret.startswith("whsec_")
        assert 24 <= len(base64.b64decode(secret.removeprefix("whsec_"), validate=True)) <= 64


def test_a_receiver_believes_what_is_signed() -> None:
    secret = new_secret()
    headers = signed_headers(secret, "message-1", datetime.now(UTC), BODY)
    assert Webhook(secret).verify(BODY, headers)["type"] == "SIMULATION_FINISHED"


@pytest.mark.parametrize(
    "changed",
    [
        {"webhook-id": "message-2"},
        {"webhook-timestamp": str(int((datetime.now(UTC) + timedelta(minutes=1)).timestamp()))},
        {"webhook-signature": "v1,AAAA"},
        {"webhook-signature": ""},
    ],
)
def test_a_receiver_notices_every_change(changed: dict[str, str]) -> None:
    secret = new_secret()
    headers = signed_headers(secret, "message-1", datetime.now(UTC), BODY)
    for body, sent, key in (
        (BODY, headers | changed, secret),
        (BODY + " ", headers, secret),
        (BODY, headers, new_secret()),
    ):
        with pytest.raises(WebhookVerificationError):
            Webhook(key).verify(body, sent)


@pytest.mark.parametrize("age", [timedelta(minutes=6), timedelta(days=1), timedelta(minutes=-6)])
def test_a_receiver_refuses_what_was_recorded_and_is_played_again_later(age: timedelta) -> None:
    secret = new_secret()
    with pytest.raises(WebhookVerificationError, match="timestamp"):
        Webhook(secret).verify(BODY, signed_headers(secret, "message-1", datetime.now(UTC) - age, BODY))
