"""Showing a rehearsal on a terminal."""

from io import StringIO

from rich.console import Console

from app.rehearsals import Told
from app.terminal.closing import closing
from app.terminal.lines import event_line
from app.terminal.progress import LiveProgress, PlainProgress, Progress
from windtunnel.domain.events import EventKind, SimulationEvent
from windtunnel.operations.rehearse import Rehearsal, rehearse
from windtunnel.planning import offline_planner

TEXT = "Triage sends each mail to billing or technical, then a writer replies."


def terminal(*, live: bool) -> Console:
    return Console(
        file=StringIO(), force_terminal=live, width=110, highlight=False, color_system="standard" if live else None
    )


def printed(console: Console) -> str:
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


async def shown(progress: Progress) -> Rehearsal:
    with progress:
        return await rehearse(offline_planner(), TEXT, 7, planned=progress.planned, tell=progress.tell)


async def test_live_progress_keeps_planning_steps_and_failures() -> None:
    console = terminal(live=True)
    done = await shown(LiveProgress(console, 0))
    output = printed(console)
    assert output.index("Scenario interpreter") < output.index("The network is planned")
    failures = [event.message for event in done.events if event.kind is EventKind.FAILURE_EVENT]
    assert failures
    for message in failures:
        assert message[:40] in output
    assert "\x1b[?25h" in output, "the cursor is shown again"


async def test_live_progress_shows_who_is_at_work() -> None:
    console = terminal(live=True)
    progress = LiveProgress(console, 0)
    seen: list[str] = []

    async def tell(event: SimulationEvent) -> None:
        await progress.tell(event)
        if event.kind is EventKind.AGENT_START:
            frame = terminal(live=False)
            frame.print(progress.frame())
            seen.append(printed(frame))

    with progress:
        done = await rehearse(offline_planner(), TEXT, 7, planned=progress.planned, tell=tell)
    names = {agent.key: agent.name for agent in done.architecture.agents}
    started = [event for event in done.events if event.kind is EventKind.AGENT_START]
    assert len(seen) == len(started)
    for frame_text, event in zip(seen, started, strict=True):
        line = next(line for line in frame_text.splitlines() if names[event.agent_key or ""] in line)
        assert event.body["task"] in line


async def test_plain_progress_has_a_line_per_event_and_no_controls() -> None:
    console = terminal(live=False)
    done = await shown(PlainProgress(console))
    lines = printed(console).splitlines()
    told = {EventKind.AGENT_START, EventKind.AGENT_END, EventKind.TOOL_USED, EventKind.FAILURE_EVENT}
    told |= {EventKind.RECOVERY, EventKind.NARRATIVE, EventKind.ARCHITECTURE_PLANNED}
    expected = [event for event in done.events if event.kind in told]
    assert len(lines) == len(expected) + 5
    assert "\x1b" not in printed(console)


async def test_nothing_is_shown_when_nothing_is_asked_for() -> None:
    assert (await shown(Progress())).events


async def test_failures_stand_out() -> None:
    done = await shown(Progress())
    strike = next(event for event in done.events if event.kind is EventKind.FAILURE_EVENT)
    assert event_line(strike).spans[-1].style in {"yellow", "bold red"}
    assert "✗" in event_line(strike).plain


async def test_the_closing_tells_numbers_failures_and_how_to_repeat() -> None:
    console = terminal(live=False)
    closing(console, Told(TEXT, 7, offline_planner(), await shown(Progress())))
    output = printed(console)
    for words in ("of simulated time", "step median", "flowchart TD", "--seed 7", "Failures:", "Assumption: "):
        assert words in output
