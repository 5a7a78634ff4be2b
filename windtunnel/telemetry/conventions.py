"""OpenTelemetry's conventions for generative AI as we follow them: which spans, which metrics, which attributes.

Two profiles: 1.41, which backends read today, and the latest, which lives in a repository of its own and changes.
What differs between them so far is metrics: the latest has one for workflows, agents and tools each.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from windtunnel.simulation import semconv

OPT_IN = "gen_ai_latest_experimental"
OURS = "windtunnel."


class Profile(StrEnum):
    """A version of the conventions."""

    V1_41 = "1.41"
    LATEST = "latest"


SCHEMA_URLS: Mapping[Profile, str] = {Profile.V1_41: "https://opentelemetry.io/schemas/1.41.0", Profile.LATEST: ""}
"""What names the version in the data; the latest has no schema file yet."""


@dataclass(frozen=True, slots=True)
class SpanRule:
    """How spans of an operation look: whether a remote side is called, and the attributes they may have."""

    client: bool
    attributes: frozenset[str]


@dataclass(frozen=True, slots=True)
class Instrument:
    """A histogram that spans are measured with: those of `operations`, by `attributes`, in `bounds`.

    `tokens`: the spans' tokens are counted instead of their seconds.
    """

    name: str
    description: str
    operations: frozenset[str]
    attributes: tuple[str, ...]
    bounds: tuple[float, ...]
    tokens: bool = False

    @property
    def unit(self) -> str:
        """The UCUM unit."""
        return "{token}" if self.tokens else "s"


_ALWAYS = {semconv.OPERATION_NAME, semconv.ERROR_TYPE}
_USAGE = {semconv.INPUT_TOKENS, semconv.OUTPUT_TOKENS}

SPANS: Mapping[str, SpanRule] = {
    semconv.INVOKE_WORKFLOW: SpanRule(client=False, attributes=frozenset(_ALWAYS | {semconv.WORKFLOW_NAME})),
    semconv.INVOKE_AGENT: SpanRule(
        client=False,
        attributes=frozenset(
            _ALWAYS | _USAGE | {semconv.PROVIDER_NAME, semconv.REQUEST_MODEL, semconv.AGENT_ID, semconv.AGENT_NAME}
        ),
    ),
    semconv.CHAT: SpanRule(
        client=True,
        attributes=frozenset(
            _ALWAYS
            | _USAGE
            | {semconv.PROVIDER_NAME, semconv.REQUEST_MODEL, semconv.RESPONSE_MODEL, semconv.FINISH_REASONS}
        ),
    ),
    semconv.EXECUTE_TOOL: SpanRule(
        client=False,
        attributes=frozenset(_ALWAYS | {semconv.TOOL_NAME, semconv.TOOL_TYPE, semconv.TOOL_CALL_ID}),
    ),
}

_CALLS = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)
_AGENTS = (0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 51.2, 102.4, 204.8, 409.6)
_WORKFLOWS = (1.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0, 7200.0)
_TOKENS = tuple(float(4**power) for power in range(14))

_CLIENT = (semconv.OPERATION_NAME, semconv.PROVIDER_NAME, semconv.REQUEST_MODEL, semconv.RESPONSE_MODEL)
_DURATION = "GenAI operation duration."
_USED = Instrument(
    semconv.TOKEN_USAGE, "Number of input and output tokens used.", frozenset({semconv.CHAT}), _CLIENT, _TOKENS,
    tokens=True,
)  # fmt: skip

INSTRUMENTS: Mapping[Profile, tuple[Instrument, ...]] = {
    Profile.V1_41: (
        Instrument(
            semconv.OPERATION_DURATION,
            _DURATION,
            frozenset({semconv.CHAT, semconv.INVOKE_AGENT}),
            (*_CLIENT, semconv.ERROR_TYPE),
            _CALLS,
        ),
        _USED,
    ),
    Profile.LATEST: (
        Instrument(
            semconv.OPERATION_DURATION, _DURATION, frozenset({semconv.CHAT}), (*_CLIENT, semconv.ERROR_TYPE), _CALLS
        ),
        _USED,
        Instrument(
            semconv.WORKFLOW_DURATION,
            "GenAI workflow duration.",
            frozenset({semconv.INVOKE_WORKFLOW}),
            (semconv.WORKFLOW_NAME, semconv.ERROR_TYPE),
            _WORKFLOWS,
        ),
        Instrument(
            semconv.AGENT_DURATION,
            "Duration of one invocation of an agent, from its start to its last word.",
            frozenset({semconv.INVOKE_AGENT}),
            (semconv.AGENT_NAME, semconv.REQUEST_MODEL, semconv.ERROR_TYPE),
            _AGENTS,
        ),
        Instrument(
            semconv.TOOL_DURATION,
            "Duration of one tool execution.",
            frozenset({semconv.EXECUTE_TOOL}),
            (semconv.TOOL_NAME, semconv.TOOL_TYPE, semconv.AGENT_NAME, semconv.ERROR_TYPE),
            _CALLS,
        ),
    ),
}


def profile_of(opt_in: str | None) -> Profile:
    """The profile that a value of OTEL_SEMCONV_STABILITY_OPT_IN, a list separated by commas, asks for."""
    wanted = {part.strip() for part in (opt_in or "").split(",")}
    return Profile.LATEST if OPT_IN in wanted else Profile.V1_41
