"""A run as a self-contained HTML report: no scripts, nothing fetched, light and dark, printable."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from windtunnel.domain.architectures import Architecture, digest_of
from windtunnel.domain.events import EventKind
from windtunnel.domain.failures import FailureOutcome
from windtunnel.domain.interpretations import Interpretation
from windtunnel.domain.networks import metrics_of
from windtunnel.domain.observability import ObservabilitySummary
from windtunnel.domain.scenarios import title_of
from windtunnel.drawing.distribution import Times, binned, distribution
from windtunnel.drawing.facts import agent_rows, failure_rows, humanised
from windtunnel.drawing.pages import page
from windtunnel.drawing.palette import FONT, variables
from windtunnel.drawing.picture import svg
from windtunnel.drawing.story import Event, Story, story_of
from windtunnel.drawing.timeline import timeline

STEPS_LEAST = 5
"""From so many steps on their times are drawn as a distribution."""


@dataclass(frozen=True, slots=True)
class Told:
    """Everything that a report tells of one run. `planner` says who planned, e.g. `offline`."""

    scenario: str
    seed: int
    planner: str
    interpretation: Interpretation
    architecture: Architecture
    events: Sequence[Event]
    summary: ObservabilitySummary
    narrative: str


def report(told: Told, *, titles: Mapping[str, str] | None = None, patterns: Mapping[str, str] | None = None) -> str:
    """The HTML document; `titles` names failure modes by code and `patterns` orchestration patterns by id."""
    architecture = told.architecture
    story = story_of(told.events)
    agents = agent_rows(architecture, story)
    outcomes = [strike.outcome or FailureOutcome.UNRECOVERED for strike in story.strikes]
    names = {agent.key: agent.name for agent in architecture.agents}
    headline = [event.message for event in told.events if event.kind is EventKind.NARRATIVE]
    worst = story.worst()
    return page("report.html").render(
        told=told,
        title=title_of(told.scenario),
        headline=headline[-1] if headline else "",
        story=story,
        agents=agents,
        failures=failure_rows(architecture, story, titles or {}),
        outcomes={outcome: outcomes.count(outcome) for outcome in FailureOutcome},
        patterns=[(patterns or {}).get(key) or humanised(key) for key in architecture.patterns],
        metrics=metrics_of(architecture),
        names=names,
        digest=digest_of(architecture),
        network=Markup(svg(architecture, load={row.agent.key: row.busy for row in agents}, struck=worst)),  # noqa: S704
        steps=_steps(told, story),
        timeline=Markup(timeline(architecture, told.events)),  # noqa: S704
        colors=Markup(variables(":root")),  # noqa: S704
        font=Markup(FONT),  # noqa: S704
    )


def _steps(told: Told, story: Story) -> Markup:
    """How long the steps took, once there are enough of them to speak of a distribution."""
    times = [step.end_ms - step.start_ms for step in story.steps]
    if len(times) < STEPS_LEAST:
        return Markup("")
    marks = (("p50", told.summary.p50_step_ms), ("p95", told.summary.p95_step_ms))
    side = Times("", "accent", binned(times), marks, "step")
    return distribution([side], "How long the steps took", "time that a step took, on a logarithmic scale")
