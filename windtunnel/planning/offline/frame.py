"""What stands around the steps: a watcher before them, an index beside, an undo and an approver behind."""

from windtunnel.domain.architectures import AgentRole, LinkKind
from windtunnel.planning.naming import clean
from windtunnel.planning.offline import blocks, teams
from windtunnel.planning.offline.blocks import role_of
from windtunnel.planning.offline.drawing import Drawing
from windtunnel.planning.offline.steps import Doer, Step, is_gate
from windtunnel.planning.reading.lexicon import label

_WATCHING = frozenset({"monitor", "collect", "read"})
_UNDONE_MAX = 3


def draw_watcher(drawing: Drawing) -> None:
    """The agent that notices: the first step when it does, else one of its own."""
    first = drawing.step
    watches = first.action in _WATCHING and not is_gate(first) and first.copies == 1
    if watches and not drawing.todo.get(0) and len(drawing.steps) > 1:
        drawing.at += 1
        blocks.draw_step(drawing.sketch, first, AgentRole.WORKER)
        return
    clause = next((c for c in drawing.reading.clauses if c.has("monitor", "schedule", "whenever")), first.clause)
    key = drawing.sketch.part(drawing.language, "watcher", AgentRole.WORKER, clause.text)
    drawing.sketch.follow(key, "event", kind=LinkKind.EVENT)


def guards_itself(drawing: Drawing) -> bool:
    """True when a step of the text already does the guarding."""
    return any(
        step.action == "moderate" or (step.has("guard", "fraud") and role_of(step) is AgentRole.CRITIC)
        for step in drawing.steps
    )


def draw_retriever(drawing: Drawing) -> None:
    """An index beside the agent that looks things up, else beside the first that works."""
    sketch = drawing.sketch
    searching = {step.name for step in drawing.steps if step.action == "search" or step.has("corpus", "answer")}
    working = [agent for agent in sketch.agents if agent.role not in {AgentRole.HUMAN, AgentRole.MEMORY}]
    user = next((agent for agent in working if agent.name in searching), (working or sketch.agents)[0])
    clause = next((c for c in drawing.reading.clauses if c.has("corpus")), drawing.reading.clauses[0])
    key = sketch.part(drawing.language, "retriever", AgentRole.MEMORY, f"{clean(clause.text, 200)} (knowledge base)")
    sketch.link(user.key, key, "query", kind=LinkKind.CALL)


def is_undo(step: Step) -> bool:
    """True for a step that takes earlier ones back when something fails."""
    return (
        not is_gate(step) and step.conditional and step.has("undo") and step.action in {"undo", "act", "pay", "check"}
    )


def draw_undo(drawing: Drawing, step: Step | None) -> None:
    """What takes back the last writing steps."""
    sketch = drawing.sketch
    writers = [agent.key for agent in sketch.agents if agent.role == AgentRole.INTEGRATION][-_UNDONE_MAX:]
    working = [agent.key for agent in sketch.agents if agent.role not in {AgentRole.HUMAN, AgentRole.MEMORY}]
    writers = writers or working[-1:] or [sketch.agents[-1].key]
    teams.draw_compensator(sketch, drawing.language, step, writers)


def draw_approver(drawing: Drawing) -> None:
    """A person at the end, when somebody has to agree and no step says who."""
    if any(agent.role == AgentRole.HUMAN for agent in drawing.sketch.agents):
        return
    clause = next((c for c in drawing.reading.clauses if c.has("approve", "human", "wait")), None)
    if clause is None:
        told = "Looks at the result and agrees before it goes out."
        key = drawing.sketch.part(drawing.language, "approver", AgentRole.HUMAN, told)
        drawing.sketch.follow(key, "result")
        return
    gate = Step(label(drawing.language, "approver"), "approve", Doer.PERSON, named=False, clause=clause)
    blocks.draw_gate(drawing.sketch, gate, last=True)
