"""What people are told of a deployment that is not where they think it is, or that failed."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from windtunnel.domain.deployment_words import NEXT, failure_now, what_helps
from windtunnel.domain.deployments import Deployment
from windtunnel.domain.deployments import DeploymentStatus as S
from windtunnel.domain.errors import ErrorCode
from windtunnel.domain.words import counted, sentence

NOW = datetime(2026, 6, 1, tzinfo=UTC)
DEPLOYMENT = Deployment("d", "t", "a", None, "0" * 64, None, S.SUBMITTED, "u", NOW, None, "", None, NOW)
PACKAGE_OR_NOT = "If the package is at fault, submit one that works; if not,"


def test_there_is_something_to_say_of_every_state() -> None:
    assert set(NEXT) == set(S)
    assert len(set(NEXT.values())) == len(NEXT)


@pytest.mark.parametrize("code", [ErrorCode.APPROVAL_INVALID, ErrorCode.DIGEST_MISMATCH, ErrorCode.PACKAGE_INVALID])
def test_nobody_is_sent_to_try_again_in_vain(code: ErrorCode) -> None:
    told = what_helps(code, 1, in_time=True)
    assert told.startswith("Trying again cannot help. ")
    assert told.endswith("again: it needs a new review.")


@pytest.mark.parametrize(
    ("code", "attempts", "in_time", "told"),
    [
        (ErrorCode.CONFLICT, 1, True, "An OPERATOR can have it tried again, twice more."),
        (ErrorCode.CONFLICT, 2, True, "An OPERATOR can have it tried again, once more."),
        (ErrorCode.CONFLICT, 3, True, "It was tried 3 times, and no more are allowed. Submit a package that works."),
        (
            ErrorCode.CONFLICT,
            1,
            False,
            "It cannot be tried again: its approval was good for 24 hours. Submit the package again.",
        ),
        (
            ErrorCode.UNAVAILABLE,
            1,
            True,
            f"{PACKAGE_OR_NOT} an OPERATOR can have it tried again, twice more.",
        ),
        (
            ErrorCode.POLICY_VIOLATION,
            2,
            True,
            "Somebody has to change that first; then an OPERATOR can have it tried again, once more.",
        ),
    ],
)
def test_what_helps_depends_on_the_cause(code: ErrorCode, attempts: int, in_time: bool, told: str) -> None:
    assert what_helps(code, attempts, in_time=in_time) == told


@pytest.mark.parametrize(
    ("status", "told"),
    [
        (S.DEPLOY_FAILED, f"{PACKAGE_OR_NOT} an OPERATOR can have it tried again, once more."),
        (S.HELD, NEXT[S.HELD]),
        (S.LAPSED, NEXT[S.LAPSED]),
    ],
)
def test_what_failed_is_shown_with_what_helps_by_now(status: S, told: str) -> None:
    failed = replace(DEPLOYMENT, status=status, attempts=2, failure="TIMEOUT: It hangs.")
    assert failure_now(failed) == f"TIMEOUT: It hangs. {told}"
    assert failure_now(replace(failed, failure=None)) is None
    assert failure_now(replace(failed, status=S.INVALID)) == "TIMEOUT: It hangs."


def test_a_cause_that_nobody_knows_is_no_reason_to_give_up() -> None:
    failed = replace(DEPLOYMENT, status=S.DEPLOY_FAILED, attempts=2, failure="It hangs.")
    assert failure_now(failed) == f"It hangs. {PACKAGE_OR_NOT} an OPERATOR can have it tried again, once more."


def test_one_of_something_is_no_plural() -> None:
    assert [counted(number, "agent") for number in (0, 1, 2, 1_200)] == [
        "0 agents",
        "1 agent",
        "2 agents",
        "1,200 agents",
    ]


def test_another_sentence_can_follow() -> None:
    assert [sentence(text) for text in ("It fails", "It fails. ", "Why?", "and so on…")] == [
        "It fails.",
        "It fails.",
        "Why?",
        "and so on…",
    ]
