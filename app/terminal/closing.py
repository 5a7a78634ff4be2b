"""What came of a rehearsal, for a person to read."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console
from rich.rule import Rule
from rich.text import Text

from app.rehearsals import Told
from app.terminal.lines import OUTCOME_STYLES
from windtunnel.domain.architectures import Architecture
from windtunnel.domain.observability import ObservabilitySummary
from windtunnel.drawing import mermaid
from windtunnel.drawing.story import Story, story_of
from windtunnel.drawing.text import clean
from windtunnel.drawing.words import count, duration, share
from windtunnel.knowledge import load_book


def closing(console: Console, told: Told) -> None:
    """The summary: narrative, numbers, failures, what the author should know, and the Mermaid graph."""
    done = told.rehearsal
    story = story_of(done.events)
    _heading(console, "What happened")
    console.print(Text(clean(done.narrative)))
    console.print(Text(_numbers(done.architecture, done.summary, story), style="dim"))
    if story.strikes:
        _heading(console, "Failures")
        for line in _failures(done.architecture, story):
            console.print(line)
    notes = [("Warning", warning.message) for warning in done.architecture.warnings]
    notes += [("Question", question) for question in done.architecture.clarifying_questions]
    notes += [("Assumption", assumption) for assumption in done.architecture.assumptions]
    if notes:
        _heading(console, "Worth knowing")
        for noun, words in notes:
            console.print(Text.assemble((f"{noun}: ", "bold"), clean(words)))
    _heading(console, "Network (Mermaid)")
    console.print(Text(mermaid(done.architecture).rstrip()), soft_wrap=True)
    _heading(console, "Again")
    console.print(Text(f"The same words with --seed {told.seed} repeat this run."))


def wrote(console: Console, paths: Sequence[Path]) -> None:
    """Which files were written."""
    for path in paths:
        console.print(Text.assemble(("wrote ", "dim"), clean(str(path))), soft_wrap=True)


def _heading(console: Console, words: str) -> None:
    console.print()
    if console.is_terminal:
        console.print(Rule(Text(words, style="bold"), align="left", style="dim"))
    else:
        console.print(Text(f"{words}:"))


def _numbers(architecture: Architecture, summary: ObservabilitySummary, story: Story) -> str:
    parts = [
        count(len(architecture.agents), "agent"),
        count(len(architecture.tools), "tool"),
        f"{duration(story.end_ms)} of simulated time",
        count(len(story.steps), "step"),
        count(summary.tool_calls, "tool call"),
        count(summary.tokens, "token"),
        f"step median {duration(summary.p50_step_ms)}, 95th percentile {duration(summary.p95_step_ms)}",
        f"confidence {share(architecture.confidence)}",
    ]
    return " · ".join(parts)


def _failures(architecture: Architecture, story: Story) -> Iterator[Text]:
    names = {agent.key: clean(agent.name) for agent in architecture.agents}
    book = load_book()
    for strike in story.strikes:
        outcome = strike.outcome.value if strike.outcome else "OPEN"
        definition = book.definitions.get(strike.code)
        yield Text.assemble(
            (f"{outcome.lower()}: ", OUTCOME_STYLES.get(outcome, "")),
            (definition.title if definition else strike.code, "bold"),
            f" at {names.get(strike.agent_key, strike.agent_key)} after {duration(strike.at_ms)}",
            (f" ({strike.severity.value.lower()}). ", "dim"),
            clean(strike.ending),
        )
