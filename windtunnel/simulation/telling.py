"""What is told and noted of an operation: the tool event, log records, tokens spent, and the span it will become."""

from windtunnel.domain.architectures import TokenUse
from windtunnel.domain.events import EventKind, LogLevel, Signal, StepStatus
from windtunnel.domain.failures import Inject
from windtunnel.simulation import payloads, words
from windtunnel.simulation.work import Step
from windtunnel.simulation.world import World


def tell_tool(world: World, step: Step, status: StepStatus, ending: str) -> None:
    """The event of a tool call that ended; nothing for an agent's own work."""
    operation, tool = step.operation, step.operation.tool
    if tool is None:
        return
    agent = world.agent(step.node)
    key = ("tool", step.task.number, step.node, step.visit, tool.key)
    asked = payloads.tool_input(tool, step.task.name, world.dice, *key)
    if operation.foreign is not None:
        asked = payloads.foreign_input(tool, operation.foreign, step.task.name)
    answer = None
    if status is StepStatus.OK:
        answer = payloads.tool_output(tool, world.dice, *key)
        if operation.damage is not None:
            answer = payloads.damaged(answer, operation.damage)
    elif status is not StepStatus.SKIPPED:
        answer = payloads.failed_output(operation.error or "refused")
    again = " once more" if operation.again else ""
    body = {
        "tool_key": tool.key,
        "input": asked,
        "output": answer,
        "status": status.value,
        "latency_ms": min(round(world.now_ms - operation.began_ms), 2**31 - 1),
    }
    sentence = f"{agent.name} {words.verb(tool)} {tool.name}{again}: {ending}."
    world.emit(EventKind.TOOL_USED, sentence, body, step.node)


def log(world: World, step: Step, level: LogLevel, message: str) -> None:
    """A log record of an agent about its current operation."""
    attributes = {"task": step.task.name, "error.type": step.operation.error}
    world.observe(Signal.LOG, message, "windtunnel.agent", agent=step.node, level=level, attributes=attributes)


def spend(world: World, step: Step) -> None:
    """Count the tokens of a model call that succeeded."""
    operation, tokens = step.operation, world.agent(step.node).tokens
    if operation.tool is not None or operation.skipped or tokens == TokenUse():
        return
    key = ("tokens", step.task.number, step.node, step.visit, operation.again)
    operation.input_tokens = round(tokens.input * world.dice.between(0.8, 1.2, *key, "input"))
    operation.output_tokens = round(tokens.output * world.dice.between(0.6, 1.4, *key, "output"))
    step.input_tokens += operation.input_tokens
    step.output_tokens += operation.output_tokens


def record(world: World, step: Step, error: str | None) -> None:
    """Note an operation that is over, for its span: one span covers all attempts."""
    operation = step.operation
    step.finished.append(
        {
            "tool": operation.tool,
            "start_ms": operation.first_ms,
            "end_ms": world.now_ms,
            "error": error,
            "attempts": operation.attempt,
            "truncated": operation.damage is Inject.TRUNCATE,
            "tokens": (operation.input_tokens, operation.output_tokens),
            "number": len(step.finished),
        }
    )
