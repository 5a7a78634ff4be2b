"""What holds for told simulations of every valid architecture."""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import pairwise, product

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.examples import pipeline, review_loop, support_triage
from tests.simulation.networks import EFFECTS, agent, architectures, link, mode, network
from tests.simulation.stories import of, rest
from windtunnel.domain.architectures import Architecture, LinkKind
from windtunnel.domain.events import EventDraft, EventKind, LogLevel, Signal, StepStatus
from windtunnel.domain.failures import FailureEffect, FailureMode, FailureOutcome, FaultUnit, Inject, Severity
from windtunnel.domain.networks import validate
from windtunnel.domain.simulations import FailureInjection
from windtunnel.simulation import Run

SEEDS = st.integers(0, 2**31 - 1)
PLANS = st.sampled_from(list(FailureInjection))
EXAMPLES: list[Callable[[], Architecture]] = [support_triage, pipeline, review_loop]
BODIES = {
    EventKind.AGENT_START: {"task", "status", "duration_ms"},
    EventKind.AGENT_END: {"task", "status", "duration_ms"},
    EventKind.TOOL_USED: {"tool_key", "input", "output", "status", "latency_ms"},
    EventKind.DATA_FLOW: {"link_key", "source_key", "target_key", "payload", "bytes"},
    EventKind.FAILURE_EVENT: {"failure_key", "code", "severity", "outcome", "detail"},
    EventKind.RECOVERY: {"failure_key", "code", "severity", "outcome", "detail"},
    EventKind.OBSERVABILITY: {"signal", "level", "name", "value", "attributes"},
    EventKind.NARRATIVE: {"text"},
}
modest = settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])


def check_story(architecture: Architecture, drafts: Sequence[EventDraft]) -> None:
    """Assert what every story keeps to."""
    assert drafts[0].kind is EventKind.AGENT_START
    assert drafts[-1].kind is EventKind.NARRATIVE
    assert drafts[0].elapsed_ms >= 0
    assert all(earlier.elapsed_ms <= later.elapsed_ms for earlier, later in pairwise(drafts))
    agents = {one.key: one for one in architecture.agents}
    links = {one.key: one for one in architecture.links}
    for draft in drafts:
        assert set(draft.body) == BODIES[draft.kind]
        assert json.loads(json.dumps(draft.body, allow_nan=False)) == draft.body
        assert draft.message
        assert draft.agent_key is None or draft.agent_key in agents
        body = draft.body
        if draft.kind is EventKind.DATA_FLOW:
            way = links[body["link_key"]]
            assert (body["source_key"], body["target_key"]) == (way.source, way.target)
            assert body["bytes"] > 0
        elif draft.kind is EventKind.TOOL_USED:
            assert body["tool_key"] in {one.key for one in architecture.tools}
            assert 0 <= body["latency_ms"] < 2**31
            StepStatus(body["status"])
        elif draft.kind in {EventKind.FAILURE_EVENT, EventKind.RECOVERY}:
            Severity(body["severity"])
            recovered = body["outcome"] in {FailureOutcome.RECOVERED, FailureOutcome.DEGRADED}
            assert recovered is (draft.kind is EventKind.RECOVERY)
        elif draft.kind is EventKind.OBSERVABILITY:
            Signal(body["signal"])
            LogLevel(body["level"])


def check_steps(drafts: Sequence[EventDraft]) -> None:
    """Assert that whatever starts ends, and reports right after."""
    running: Counter[tuple[str | None, str]] = Counter()
    for draft, following in pairwise(drafts):
        key = (draft.agent_key, draft.body.get("task", ""))
        if draft.kind is EventKind.AGENT_START:
            running[key] += 1
        elif draft.kind is EventKind.AGENT_END:
            running[key] -= 1
            assert running[key] >= 0
            assert draft.body["duration_ms"] >= 0
            assert following.kind is EventKind.OBSERVABILITY
            assert following.agent_key == draft.agent_key
    assert not +running


def check_failures(drafts: Sequence[EventDraft]) -> None:
    """Assert that every failure that struck came to an end."""
    struck, ended = set(), set()
    for draft in drafts:
        if draft.kind in {EventKind.FAILURE_EVENT, EventKind.RECOVERY}:
            name = draft.body["detail"]["occurrence"]
            if draft.body["outcome"] is None:
                struck.add(name)
            else:
                assert name in struck
                ended.add(name)
    assert struck == ended


@modest
@given(architectures(), SEEDS, PLANS)
def test_every_story_keeps_to_the_rules(architecture: Architecture, seed: int, plan: FailureInjection) -> None:
    assert validate(architecture) == []
    run = Run(architecture, seed, failures=plan)
    drafts = rest(run)
    check_story(architecture, drafts)
    check_steps(drafts)
    check_failures(drafts)
    assert run.next_at_ms is None
    assert run.narrative == drafts[-1].body["text"]
    failures = of(drafts, EventKind.FAILURE_EVENT)
    assert bool(failures) is (plan is FailureInjection.AUTO)


@modest
@given(architectures(), SEEDS, PLANS, st.lists(st.integers(1, 9), min_size=1, max_size=5))
def test_the_size_of_chunks_changes_nothing(
    architecture: Architecture, seed: int, plan: FailureInjection, chunks: list[int]
) -> None:
    whole = rest(Run(architecture, seed, failures=plan))
    run, parts = Run(architecture, seed, failures=plan), list[EventDraft]()
    while not run.over:
        for chunk in chunks:
            before = run.next_at_ms
            parts += run.advance(chunk)
            assert before is None or run.elapsed_ms >= before
    assert parts == whole
    assert Run(architecture, seed, failures=plan).advance(0) == []


@modest
@given(architectures(), SEEDS, st.integers(0, 80), EFFECTS, st.booleans())
def test_a_run_with_commands_can_be_repeated(
    architecture: Architecture, seed: int, step: int, effect: FailureEffect, aimed: bool
) -> None:
    command = mode(9, effect, targets=[architecture.agents[-1].key])
    stories = []
    for chunk in (1, 7):
        run = Run(architecture, seed, failures=FailureInjection.NONE)
        drafts: list[EventDraft] = []
        while run.step < step and not run.over:
            drafts += run.advance(min(chunk, step - run.step))
        commanded = not run.over
        if commanded:
            run.inject(command, architecture.agents[0].key if aimed else None)
        drafts += rest(run, chunk)
        stories.append(drafts)
        assert commanded is any(one.body["code"] == "code_9" for one in of(drafts, EventKind.FAILURE_EVENT))
    assert stories[0] == stories[1]
    check_story(architecture, stories[0])
    check_steps(stories[0])
    check_failures(stories[0])


@modest
@given(architectures(), SEEDS, st.lists(EFFECTS, min_size=1, max_size=6), PLANS)
def test_everything_asked_for_shows(
    architecture: Architecture, seed: int, effects: list[FailureEffect], plan: FailureInjection
) -> None:
    asked = [mode(10 + number, effect, targets=["a0"]) for number, effect in enumerate(effects)]
    drafts = rest(Run(architecture, seed, failures=plan, injected=asked))
    codes = {one.body["code"] for one in of(drafts, EventKind.FAILURE_EVENT)}
    assert {one.code for one in asked} <= codes
    if plan is not FailureInjection.AUTO:
        assert codes == {one.code for one in asked}
    check_failures(drafts)


@pytest.mark.parametrize(("example", "inject"), list(product(EXAMPLES, Inject)))
def test_every_kind_of_failure_changes_the_run(example: Callable[[], Architecture], inject: Inject) -> None:
    architecture = example()
    for unit, silent, retryable in product(FaultUnit, (False, True), (False, True)):
        asked = mode(1, FailureEffect(inject, unit, 0.1, silent, retryable), targets=[architecture.agents[0].key])
        calm = rest(Run(architecture, 5, failures=FailureInjection.NONE))
        drafts = rest(Run(architecture, 5, failures=FailureInjection.NONE, injected=[asked]))
        failures = of(drafts, EventKind.FAILURE_EVENT)
        assert failures[0].body["code"] == asked.code
        assert failures[0].body["detail"]["inject"] == inject
        telling = {EventKind.TOOL_USED, EventKind.DATA_FLOW, EventKind.AGENT_END, EventKind.AGENT_START}
        calm_work = [(one.message, one.body) for one in calm if one.kind in telling]
        work = [(one.message, one.body) for one in drafts if one.kind in telling]
        # A wrong answer looks like any other; every other kind shows in what agents, tools or links do.
        hidden = inject in {Inject.WRONG_OUTPUT, Inject.HIJACK, Inject.EXFILTRATE, Inject.TRUNCATE, Inject.CORRUPT}
        assert work != calm_work or (hidden and silent)
        check_failures(drafts)


@pytest.mark.parametrize("example", EXAMPLES)
def test_seeds_tell_different_stories(example: Callable[[], Architecture]) -> None:
    stories = [rest(Run(example(), seed, failures=FailureInjection.AUTO)) for seed in (1, 1, 2)]
    assert stories[0] == stories[1]
    assert stories[0] != stories[2]


@pytest.mark.parametrize("example", EXAMPLES)
def test_a_typical_run_has_a_readable_length(example: Callable[[], Architecture]) -> None:
    for seed in range(20):
        assert 50 <= len(rest(Run(example(), seed, failures=FailureInjection.AUTO))) <= 400


def _modes(count: int) -> list[FailureMode]:
    effect = FailureEffect(Inject.LOOP, FaultUnit.AGENT_RUN, 0.1, True, False)
    return [mode(number, effect, targets=[f"a{number % 64}"]) for number in range(count)]


@pytest.mark.parametrize("kind", [LinkKind.DATA, LinkKind.CALL, LinkKind.HANDOFF])
def test_the_densest_network_stays_within_bounds(kind: LinkKind) -> None:
    agents = [agent(number) for number in range(64)]
    pairs = [(source, target) for source in range(64) for target in range(64)]
    architecture = network(agents, [link(number, *pair, kind) for number, pair in enumerate(pairs)])
    drafts = rest(Run(architecture, 1, failures=FailureInjection.AUTO, injected=_modes(50)))
    assert len(drafts) <= 20_000
    check_steps(drafts)
    check_failures(drafts)


def test_parallel_links_stay_within_bounds() -> None:
    agents = [agent(number) for number in range(64)]
    pairs = [(number, number + 1) for number in range(63) for _ in range(50)]
    architecture = network(agents, [link(number, *pair) for number, pair in enumerate(pairs)])
    assert len(rest(Run(architecture, 1, failures=FailureInjection.AUTO))) <= 20_000
