"""A run as a self-contained HTML report: no scripts, nothing fetched, light and dark, printable."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from windtunnel.domain.architectures import Architecture, Interpretation, digest_of
from windtunnel.domain.events import EventKind
from windtunnel.domain.failures import FailureOutcome
from windtunnel.domain.networks import metrics_of
from windtunnel.domain.observability import ObservabilitySummary
from windtunnel.domain.scenarios import title_of
from windtunnel.drawing.facts import agent_rows, failure_rows, humanised
from windtunnel.drawing.palette import FONT, color_of, variables
from windtunnel.drawing.picture import svg
from windtunnel.drawing.story import Event, story_of
from windtunnel.drawing.text import clean
from windtunnel.drawing.timeline import timeline
from windtunnel.drawing.words import count, duration, role_word, share


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
    return _template().render(
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
        timeline=Markup(timeline(architecture, told.events)),  # noqa: S704
        colors=Markup(variables(":root")),  # noqa: S704
        font=Markup(FONT),  # noqa: S704
    )


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("windtunnel.drawing", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "color": color_of, "count": count, "duration": duration, "role": role_word, "share": share,
        "word": lambda member: member.value.replace("_", " ").lower(),
    }  # fmt: skip
    return environment.get_template("report.html")


def _shown(value: Any) -> Any:
    """Text as it may be shown: without what reorders or hides its surroundings; lines stay lines."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return "\n".join(clean(line) for line in value.splitlines())
    return value
