"""One event as one line of text."""

from rich.text import Text

from windtunnel.domain.events import EventKind, SimulationEvent
from windtunnel.drawing.text import clean
from windtunnel.drawing.words import duration

OUTCOME_STYLES = {"RECOVERED": "green", "DEGRADED": "yellow", "UNRECOVERED": "bold red"}
_SIGNS = {
    EventKind.PLANNER_STEP: ("✓", "green"),
    EventKind.ARCHITECTURE_PLANNED: ("✓", "green"),
    EventKind.AGENT_START: ("▸", "cyan"),
    EventKind.AGENT_END: ("▪", ""),
    EventKind.TOOL_USED: ("·", "dim"),
    EventKind.FAILURE_EVENT: ("✗", "bold red"),
    EventKind.RECOVERY: ("↻", "green"),
    EventKind.NARRATIVE: ("—", "bold"),
}


def event_line(event: SimulationEvent) -> Text:
    """When, a sign, and what happened; failures red, recoveries in the colour of how they ended."""
    sign, style = _SIGNS.get(event.kind, (" ", ""))
    message = clean(event.message)
    if event.kind is EventKind.PLANNER_STEP:
        return Text.assemble((f"{sign} ", style), (f"{planner_name(event):<26}", "bold"), message)
    if event.kind is EventKind.ARCHITECTURE_PLANNED:
        return Text.assemble((f"{sign} ", style), message)
    if event.kind is EventKind.RECOVERY:
        style = OUTCOME_STYLES.get(event.body["outcome"], style)
    elif event.kind is EventKind.FAILURE_EVENT and event.body["outcome"] is None:
        style = "yellow"
    severe = style if event.kind in {EventKind.FAILURE_EVENT, EventKind.RECOVERY, EventKind.NARRATIVE} else ""
    return Text.assemble((f"{duration(event.elapsed_ms):>12}  ", "dim"), (f"{sign} ", style), (message, severe))


def planner_name(event: SimulationEvent) -> str:
    """`Scenario interpreter`."""
    name: str = event.body["planner"]
    return name.replace("_", " ").capitalize()
