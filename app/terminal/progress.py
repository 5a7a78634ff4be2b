"""Showing a rehearsal while it runs: nothing, plain lines, or live on a terminal."""

from time import monotonic
from types import TracebackType
from typing import Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from app.terminal.lines import event_line, planner_name
from windtunnel.domain.architectures import Architecture
from windtunnel.domain.events import EventKind, SimulationEvent, StepStatus
from windtunnel.drawing.text import clean
from windtunnel.drawing.words import duration, role_word

AGENTS_MAX = 16
_LASTING = frozenset({EventKind.FAILURE_EVENT, EventKind.RECOVERY, EventKind.NARRATIVE, EventKind.ARCHITECTURE_PLANNED})
_PLAIN = _LASTING | {EventKind.PLANNER_STEP, EventKind.AGENT_START, EventKind.AGENT_END, EventKind.TOOL_USED}


class Progress:
    """Shows nothing; the others show more."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def planned(self, architecture: Architecture) -> None:
        """The network is known from now on."""

    async def tell(self, event: SimulationEvent) -> None:
        """Show one event."""


class PlainProgress(Progress):
    """A line per event that a person would tell, for pipes and log files."""

    def __init__(self, console: Console) -> None:
        self._console = console

    async def tell(self, event: SimulationEvent) -> None:
        """Show one event."""
        is_start = event.kind is EventKind.PLANNER_STEP and event.body["status"] == StepStatus.STARTED
        if event.kind in _PLAIN and not is_start:
            self._console.print(event_line(event), soft_wrap=True)


class LiveProgress(Progress):
    """Planning steps and failures as lasting lines; under them, while it runs, the agents at work."""

    def __init__(self, console: Console, pace: float) -> None:
        self._console = console
        self._pace = pace
        self._planning = ""
        self._architecture: Architecture | None = None
        self._working: dict[str, list[str]] = {}
        self._done: dict[str, int] = {}
        self._struck: set[str] = set()
        self._elapsed_ms = 0.0
        self._told_at = monotonic()
        self._spinner = Spinner("dots", style="cyan")
        self._live = Live(console=console, transient=True, refresh_per_second=12, get_renderable=self.frame)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def planned(self, architecture: Architecture) -> None:
        """The network is known from now on."""
        self._architecture = architecture

    async def tell(self, event: SimulationEvent) -> None:
        """Show one event."""
        self._elapsed_ms, self._told_at = event.elapsed_ms, monotonic()
        agent = event.agent_key or ""
        if event.kind is EventKind.PLANNER_STEP:
            is_start = event.body["status"] == StepStatus.STARTED
            self._planning = planner_name(event) if is_start else ""
            if not is_start:
                self._console.print(event_line(event))
        elif event.kind is EventKind.AGENT_START:
            self._working.setdefault(agent, []).append(event.body["task"])
        elif event.kind is EventKind.AGENT_END:
            self._done[agent] = self._done.get(agent, 0) + 1
            if event.body["task"] in self._working.get(agent, []):
                self._working[agent].remove(event.body["task"])
        elif event.kind in _LASTING:
            if event.kind is EventKind.FAILURE_EVENT:
                self._struck.add(agent)
            self._console.print(event_line(event))

    def frame(self) -> RenderableType:
        """What stands under the lasting lines now."""
        if self._architecture is None:
            self._spinner.update(text=Text(f" {self._planning or 'Planning'}", style="bold"))
            return self._spinner
        table = Table.grid(padding=(0, 2))
        busy = [agent for agent in self._architecture.agents if self._working.get(agent.key)]
        idle = [agent for agent in self._architecture.agents if not self._working.get(agent.key)]
        for agent in (busy + idle)[:AGENTS_MAX]:
            tasks = self._working.get(agent.key, [])
            state = Text(", ".join(map(clean, tasks)), style="cyan") if tasks else Text("idle", style="dim")
            name = Text(clean(agent.name), style="red" if agent.key in self._struck else "")
            done = f"{self._done.get(agent.key, 0)} done"
            table.add_row(Text(role_word(agent.role), style="dim"), name, state, Text(done, style="dim"))
        now_ms = self._elapsed_ms + (monotonic() - self._told_at) * 1000 * self._pace
        self._spinner.update(text=Text(f" Simulated time {duration(now_ms)}", style="bold"))
        return Group(self._spinner, table)
