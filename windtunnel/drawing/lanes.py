"""Lanes of a timeline: one per agent, with as many rows as it has steps at the same time."""

from dataclasses import dataclass, field

from windtunnel.domain.architectures import Architecture, NetworkAgent
from windtunnel.drawing.story import Step, Story

ROW = 21.0
PADDING = 15.0
IDLE_LANES_MAX = 4


@dataclass(slots=True)
class Lane:
    """An agent's lane. `rows` holds the steps of each row."""

    agent: NetworkAgent
    top: float
    rows: list[list[Step]] = field(default_factory=list)

    @property
    def height(self) -> float:
        """With the space to the next lane."""
        return PADDING + ROW * max(len(self.rows), 1)

    @property
    def bottom(self) -> float:
        """Where the next lane begins."""
        return self.top + self.height

    def middle_of(self, task: str, at_ms: float) -> float:
        """The height of the row in which the agent works (or last worked) on a task at a moment."""
        found = 0
        for place, row in enumerate(self.rows):
            if any(step.task == task and step.start_ms <= at_ms <= step.end_ms for step in row):
                found = place
        return self.top + (PADDING - 4) / 2 + ROW * (found + 0.5)


def lanes_of(architecture: Architecture, story: Story, top: float) -> tuple[list[Lane], list[NetworkAgent]]:
    """The lanes, from `top` down, those nearer to the entry points first; and agents left out.

    Agents that had nothing to do are left out when there are more than a few of them.
    """
    busy = {step.agent_key for step in story.steps} | {strike.agent_key for strike in story.strikes}
    idle = [agent for agent in architecture.agents if agent.key not in busy]
    left_out = idle if len(idle) > IDLE_LANES_MAX else []
    lanes: list[Lane] = []
    for agent in sorted(architecture.agents, key=lambda agent: agent.layer):
        if agent in left_out:
            continue
        lane = Lane(agent, top)
        for step in story.steps:
            if step.agent_key == agent.key:
                _seat(step, lane.rows)
        lanes.append(lane)
        top = lane.bottom
    return lanes, left_out


def _seat(step: Step, rows: list[list[Step]]) -> None:
    for row in rows:
        if row[-1].end_ms <= step.start_ms:
            row.append(step)
            return
    rows.append([step])
