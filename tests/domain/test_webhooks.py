import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windtunnel.domain.notifications import NotificationKind
from windtunnel.domain.policy import WEBHOOK_RETRY_AFTER_MAX_S, WEBHOOK_RETRY_AFTER_S
from windtunnel.domain.webhooks import WEBHOOK_ATTEMPTS_MAX, Answer, DeliveryStatus, Verdict, message, verdict_on

FAILED = Answer(status=500)


@pytest.mark.parametrize("status", [200, 201, 204, 299])
@pytest.mark.parametrize("attempts", [1, WEBHOOK_ATTEMPTS_MAX])
def test_any_2xx_is_delivered(status: int, attempts: int) -> None:
    assert verdict_on(Answer(status=status), attempts, 0.5) == Verdict(DeliveryStatus.DELIVERED)


@pytest.mark.parametrize(
    "answer", [Answer(status=100), Answer(status=302), Answer(status=404), Answer(error="Broken.")]
)
def test_anything_else_is_tried_again_a_little_later_each_time(answer: Answer) -> None:
    verdicts = [verdict_on(answer, attempts, 0.5) for attempts in range(1, WEBHOOK_ATTEMPTS_MAX)]
    assert {verdict.status for verdict in verdicts} == {DeliveryStatus.PENDING}
    assert [verdict.retry_in_s for verdict in verdicts] == list(WEBHOOK_RETRY_AFTER_S)
    last = verdict_on(answer, WEBHOOK_ATTEMPTS_MAX, 0.5)
    assert last == Verdict(
        DeliveryStatus.DEAD, answer.error or f"The receiver answered with HTTP status {answer.status}."
    )


def test_eight_attempts_take_about_a_day() -> None:
    assert WEBHOOK_ATTEMPTS_MAX == 8
    assert list(WEBHOOK_RETRY_AFTER_S) == sorted(WEBHOOK_RETRY_AFTER_S)
    assert timedelta(hours=20) < timedelta(seconds=sum(WEBHOOK_RETRY_AFTER_S)) < timedelta(hours=28)


def test_gone_is_the_end_at_once() -> None:
    assert verdict_on(Answer(status=410), 1, 0.5).status is DeliveryStatus.DEAD


@given(st.integers(1, WEBHOOK_ATTEMPTS_MAX - 1), st.floats(0, 1))
def test_what_failed_together_does_not_come_again_together(attempts: int, luck: float) -> None:
    pause, usual = verdict_on(FAILED, attempts, luck).retry_in_s, WEBHOOK_RETRY_AFTER_S[attempts - 1]
    assert pause is not None
    assert usual * 0.79 < pause < usual * 1.21
    assert (pause > usual) == (luck > 0.5) or pause == pytest.approx(usual)


@pytest.mark.parametrize(("asked", "pause"), [(None, 5), (0, 5), (3, 5), (90, 90), (10**9, WEBHOOK_RETRY_AFTER_MAX_S)])
def test_a_receiver_can_ask_for_a_longer_pause_within_bounds(asked: int | None, pause: int) -> None:
    assert verdict_on(Answer(status=429, retry_after_s=asked), 1, 0.5).retry_in_s == pause


def test_a_message_says_what_happened_and_when() -> None:
    at = datetime(2026, 1, 2, 4, 4, 5, 678_900, tzinfo=timezone(timedelta(hours=1)))
    text = message(NotificationKind.SIMULATION_FINISHED, at, {"title": "Fertig: ä\0\ud800"})
    assert text.isascii()
    assert json.loads(text) == {
        "type": "SIMULATION_FINISHED",
        "timestamp": "2026-01-02T03:04:05.678Z",
        "data": {"title": "Fertig: ä\0\ud800"},
    }
    assert datetime.fromisoformat(json.loads(text)["timestamp"]).tzinfo == UTC
