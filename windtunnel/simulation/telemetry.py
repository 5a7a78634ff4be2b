"""What a finished step and a finished task report: log record, metrics and spans, in OpenTelemetry's words."""

from typing import Any

from windtunnel.domain.architectures import AgentTelemetry, TokenUse
from windtunnel.domain.events import EventKind, LogLevel, Signal, StepStatus
from windtunnel.domain.observability import SpanStatus
from windtunnel.simulation import semconv, words
from windtunnel.simulation.work import Step, Task
from windtunnel.simulation.world import World

_LEVELS = {StepStatus.OK: LogLevel.INFO, StepStatus.SKIPPED: LogLevel.WARN, StepStatus.FAILED: LogLevel.ERROR}


def step_ended(world: World, step: Step) -> None:
    """The end of a step, and what it reports."""
    agent = world.agent(step.node)
    duration = world.now_ms - (step.started_ms or 0.0)
    world.step_ms.append(duration)
    took = words.spell(duration)
    endings = {
        StepStatus.OK: f"{agent.name} is done with {step.task.title} after {took}.",
        StepStatus.SKIPPED: f"{agent.name} lets {step.task.title} pass without doing its part.",
        StepStatus.FAILED: f"{agent.name} fails on {step.task.title} after {took}.",
    }
    body = {"task": step.task.name, "status": step.status.value, "duration_ms": min(round(duration), 2**31 - 1)}
    world.emit(EventKind.AGENT_END, endings[step.status], body, step.node)
    plan = next((one for one in world.architecture.telemetry.agents if one.agent_key == agent.key), None)
    _log(world, step, plan, duration)
    _metrics(world, step, plan, duration)
    _spans(world, step)


def task_ended(world: World, task: Task) -> None:
    """The root span of a task."""
    name = workflow_name(world)
    failed = task.delivered == 0
    attributes = {
        semconv.OPERATION_NAME: semconv.INVOKE_WORKFLOW,
        semconv.WORKFLOW_NAME: name,
        semconv.CONVERSATION_ID: trace_id(world, task),
    }
    if failed:
        attributes[semconv.ERROR_TYPE] = "lost"
    span = _span(
        world,
        task,
        span_id=root_span_id(world, task),
        parent=None,
        start_ms=task.begun_ms,
        status=SpanStatus.ERROR if failed else SpanStatus.OK,
        attributes=attributes,
    )
    _trace(world, f"{semconv.INVOKE_WORKFLOW} {name}", span, None)


def workflow_name(world: World) -> str:
    """What spans call the whole network."""
    return world.architecture.patterns[0] if world.architecture.patterns else "agent_network"


def trace_id(world: World, task: Task) -> str:
    """32 hexadecimal digits: one trace per task, derived from the seed."""
    return world.dice.hex(32, "trace", task.number)


def root_span_id(world: World, task: Task) -> str:
    """16 hexadecimal digits, derived from the seed."""
    return world.dice.hex(16, "span", task.number)


def _log(world: World, step: Step, plan: AgentTelemetry | None, duration: float) -> None:
    agent = world.agent(step.node)
    level = _LEVELS[step.status]
    if level is LogLevel.INFO and (step.degraded or step.retries):
        level = LogLevel.WARN
    template = plan.log if plan is not None and plan.log else f"{agent.name} finished {{task}}: {{status}}"
    message = template.replace("{task}", step.task.name)
    message = message.replace("{duration_ms}", f"{duration:.0f}").replace("{status}", step.status.value.lower())
    attributes: dict[str, Any] = {
        semconv.AGENT_NAME: agent.name,
        semconv.TASK: step.task.name,
        "trace_id": trace_id(world, step.task),
        "span_id": _agent_span_id(world, step),
        "duration_ms": round(duration, 3),
        "queued_ms": round(step.waited_ms, 3),
        "retries": len(step.retries),
    }
    if step.error is not None:
        attributes[semconv.ERROR_TYPE] = step.error
    world.observe(Signal.LOG, message, "windtunnel.agent", agent=step.node, level=level, attributes=attributes)


def _metrics(world: World, step: Step, plan: AgentTelemetry | None, duration: float) -> None:
    agent = world.agent(step.node)
    common: dict[str, Any] = {semconv.AGENT_NAME: agent.name, semconv.OPERATION_NAME: semconv.INVOKE_AGENT}
    if step.error is not None:
        common[semconv.ERROR_TYPE] = step.error
    seconds = round(duration / 1_000, 6)
    _metric(world, step, semconv.OPERATION_DURATION, unit="s", value=seconds, attributes=common)
    if plan is not None and plan.metric:
        value = _business(world, step, plan.unit, duration)
        _metric(world, step, plan.metric, unit=plan.unit, value=value, attributes=common)
    if step.input_tokens or step.output_tokens:
        usage = {semconv.INPUT_TOKENS: step.input_tokens, semconv.OUTPUT_TOKENS: step.output_tokens}
        total = float(step.input_tokens + step.output_tokens)
        _metric(world, step, semconv.TOKEN_USAGE, unit="{token}", value=total, attributes={**common, **usage})


def _metric(world: World, step: Step, name: str, *, unit: str, value: float, attributes: dict[str, Any]) -> None:
    message = f"{name} of {world.agent(step.node).name}: {value:g} {unit}".rstrip()
    attributes = {**attributes, "unit": unit, semconv.TASK: step.task.name}
    world.observe(Signal.METRIC, message, name, agent=step.node, value=value, attributes=attributes)


def _business(world: World, step: Step, unit: str, duration: float) -> float:
    """A plausible value of a metric that only the scenario's author could define: time, share, or things done."""
    done = step.status is StepStatus.OK
    if unit == "ms":
        return round(duration, 3)
    if unit == "s":
        return round(duration / 1_000, 6)
    share = world.dice.between(0.85, 1.0, "share", step.task.number, step.node, step.visit) if done else 0.0
    if unit in {"1", "%"}:
        return round(share * (100 if unit == "%" else 1), 3)
    return 1.0 if done else 0.0


def _spans(world: World, step: Step) -> None:
    agent = world.agent(step.node)
    parent = _agent_span_id(world, step)
    for record in step.finished:
        tool, failed = record["tool"], record["error"] is not None
        if tool is None and (agent.tokens == TokenUse() or (record["tokens"] == (0, 0) and not failed)):
            continue  # no model was asked
        if tool is None:
            name = f"{semconv.CHAT} {semconv.SIMULATED_MODEL}"
            attributes = _chat(record["tokens"], truncated=record["truncated"], failed=failed)
        else:
            name = f"{semconv.EXECUTE_TOOL} {tool.name}"
            attributes = {
                semconv.OPERATION_NAME: semconv.EXECUTE_TOOL,
                semconv.TOOL_NAME: tool.name,
                semconv.TOOL_TYPE: "datastore" if tool.category in {"DATABASE", "RETRIEVAL"} else "function",
                semconv.TOOL_CALL_ID: f"call_{world.dice.hex(8, 'call', parent, record['number'])}",
            }
        if failed:
            attributes[semconv.ERROR_TYPE] = record["error"]
        attributes["events"] = [
            event for event in step.retries if record["start_ms"] <= event["time_ms"] <= record["end_ms"]
        ]
        span = _span(
            world,
            step.task,
            span_id=world.dice.hex(16, "span", parent, record["number"]),
            parent=parent,
            start_ms=record["start_ms"],
            end_ms=record["end_ms"],
            status=SpanStatus.ERROR if failed else SpanStatus.UNSET,
            attributes=attributes,
        )
        _trace(world, name, span, step.node)
    attributes = {
        semconv.OPERATION_NAME: semconv.INVOKE_AGENT,
        semconv.PROVIDER_NAME: semconv.SIMULATED_PROVIDER,
        semconv.AGENT_ID: agent.key,
        semconv.AGENT_NAME: agent.name,
        semconv.INPUT_TOKENS: step.input_tokens,
        semconv.OUTPUT_TOKENS: step.output_tokens,
    }
    if step.error is not None:
        attributes[semconv.ERROR_TYPE] = step.error
    failed = step.status is StepStatus.FAILED
    span = _span(
        world,
        step.task,
        span_id=parent,
        parent=root_span_id(world, step.task),
        start_ms=step.started_ms or 0.0,
        status=SpanStatus.ERROR if failed else SpanStatus.OK,
        attributes=attributes,
    )
    _trace(world, f"{semconv.INVOKE_AGENT} {agent.name}", span, step.node)


def _chat(tokens: tuple[int, int], *, truncated: bool, failed: bool) -> dict[str, Any]:
    asked = {
        semconv.OPERATION_NAME: semconv.CHAT,
        semconv.PROVIDER_NAME: semconv.SIMULATED_PROVIDER,
        semconv.REQUEST_MODEL: semconv.SIMULATED_MODEL,
    }
    if failed:
        return asked  # no answer came: nothing was used, and nothing finished
    return {
        **asked,
        semconv.RESPONSE_MODEL: semconv.SIMULATED_MODEL,
        semconv.INPUT_TOKENS: tokens[0],
        semconv.OUTPUT_TOKENS: tokens[1],
        semconv.FINISH_REASONS: ["length" if truncated else "stop"],
    }


def _agent_span_id(world: World, step: Step) -> str:
    return world.dice.hex(16, "span", step.task.number, step.node, step.visit)


def _span(
    world: World,
    task: Task,
    *,
    span_id: str,
    parent: str | None,
    start_ms: float,
    status: SpanStatus,
    attributes: dict[str, Any],
    end_ms: float | None = None,
) -> dict[str, Any]:
    return {
        "trace_id": trace_id(world, task),
        "span_id": span_id,
        "parent_span_id": parent,
        "start_ms": round(start_ms, 3),
        "end_ms": round(world.now_ms if end_ms is None else end_ms, 3),
        "status": status.value,
        "attributes": {
            **attributes,
            semconv.TASK: task.name,
            semconv.SIMULATED: True,
            semconv.SEED: world.seed,
        },
    }


def _trace(world: World, name: str, span: dict[str, Any], node: int | None) -> None:
    duration = span["end_ms"] - span["start_ms"]
    level = LogLevel.ERROR if span["status"] == SpanStatus.ERROR else LogLevel.DEBUG
    message = f"{name}: {words.spell(duration)}"
    world.observe(Signal.TRACE, message, name, agent=node, level=level, value=round(duration, 3), attributes=span)
