from typing import Any

import pytest

from tests.operations.world import (
    ReadyPlanner,
    begun,
    demo,
    process,
)
from windtunnel.domain.errors import (
    ErrorCode,
    NotFoundError,
    ValidationError,
)
from windtunnel.domain.pages import PageRequest
from windtunnel.domain.simulations import FailureInjection
from windtunnel.storage import scenarios

LIMIT = {"seed": 2**31 - 1, "pace": 1_000_000.0, "idempotency_key": "k" * 200}


async def test_inputs_at_their_limits_are_accepted(sqlite_url: str) -> None:
    async with process(sqlite_url, planner=ReadyPlanner(held_at=0)) as services:
        viewer = await demo(services)
        codes = tuple(sorted(services.book.definitions)[:25]) * 2
        simulation = await begun(services, viewer, inject_failures=codes, **LIMIT)
        assert simulation.inject_failures == codes[:25]
        assert simulation.seed == 2**31 - 1
        lowest = await begun(
            services, viewer, seed=-(2**31), inject_failures=codes, failures=FailureInjection.ONLY_LISTED
        )
        assert lowest.seed == -(2**31)
        assert 0 <= (await begun(services, viewer, seed=None)).seed < 2**31


@pytest.mark.parametrize(
    ("request_", "rule", "path"),
    [
        ({"text": None}, "one_of", "input.scenario"),
        ({"scenario_id": "x"}, "one_of", "input.scenario"),
        ({"text": None, "scenario_id": "x", "architecture_id": "x"}, "one_of", "input.scenario"),
        ({"text": " \u200b"}, "string_empty", "input.scenario.text"),
        ({"text": "x" * 20_001}, "string_too_long", "input.scenario.text"),
        ({"text": "a\0b"}, "string_unstorable", "input.scenario.text"),
        ({"text": "a\ud800b"}, "string_unstorable", "input.scenario.text"),
        ({"seed": 2**31}, "seed_out_of_range", "input.seed"),
        ({"seed": -(2**31) - 1}, "seed_out_of_range", "input.seed"),
        ({"pace": -0.1}, "pace_out_of_range", "input.pace"),
        ({"pace": float("nan")}, "pace_out_of_range", "input.pace"),
        ({"pace": float("inf")}, "pace_out_of_range", "input.pace"),
        ({"pace": 1_000_001.0}, "pace_out_of_range", "input.pace"),
        ({"inject_failures": ("llm_rate_limited", "nonsense")}, "unknown_failure_code", "input.inject_failures.1"),
        ({"inject_failures": ("\ud800",)}, "unknown_failure_code", "input.inject_failures.0"),
        ({"inject_failures": ("llm_rate_limited",) * 51}, "too_many_failures", "input.inject_failures"),
        (
            {"inject_failures": ("llm_rate_limited",), "failures": FailureInjection.NONE},
            "failures_contradict",
            "input.inject_failures",
        ),
        ({"idempotency_key": ""}, "idempotency_key_length", "input.idempotency_key"),
        ({"idempotency_key": "k" * 201}, "idempotency_key_length", "input.idempotency_key"),
        ({"idempotency_key": "k\0"}, "string_unstorable", "input.idempotency_key"),
    ],
)
async def test_bad_input_is_refused_and_nothing_is_stored(
    sqlite_url: str, request_: dict[str, Any], rule: str, path: str
) -> None:
    async with process(sqlite_url) as services:
        viewer = await demo(services)
        with pytest.raises(ValidationError) as refused:
            await begun(services, viewer, **request_)
        assert refused.value.rule == rule
        assert ".".join(refused.value.path or ()) == path
        assert refused.value.code in {ErrorCode.BAD_USER_INPUT, ErrorCode.SCENARIO_EMPTY}
        refused.value.message.encode()
        assert (await scenarios.page(services.store, viewer.tenant_id, PageRequest())).total == 0


@pytest.mark.parametrize(
    ("request_", "path"),
    [
        ({"environment_id": "x"}, "input.environment_id"),
        ({"package_digest": "x"}, "input.package_digest"),
        ({"text": None, "scenario_id": "\ud800"}, "input.scenario.scenario_id"),
        ({"text": None, "architecture_id": "x"}, "input.scenario.architecture_id"),
    ],
)
async def test_what_does_not_exist_is_not_found(sqlite_url: str, request_: dict[str, Any], path: str) -> None:
    async with process(sqlite_url) as services:
        with pytest.raises(NotFoundError) as missing:
            await begun(services, await demo(services), idempotency_key="key", **request_)
        assert ".".join(missing.value.path or ()) == path
