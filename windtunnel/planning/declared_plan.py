"""The plan for a declared network: understood like any scenario, the network taken as it is."""

from windtunnel.domain.events import StepStatus
from windtunnel.domain.planning import OnStep, Plan, PlannerAgent, PlannerStep
from windtunnel.domain.scenarios import check_text
from windtunnel.knowledge import load_book
from windtunnel.planning.assembly import interpretation_of
from windtunnel.planning.declared import Declared
from windtunnel.planning.declared_network import architecture_of
from windtunnel.planning.naming import clean
from windtunnel.planning.offline.interpreter import interpret
from windtunnel.planning.team import INTERPRETER


async def plan_declared(declared: Declared, text: str, on_step: OnStep) -> Plan:
    """The declared network as the plan for a scenario: always the same for the same two.

    Raises ValidationError as `domain.planning.Planner` does.
    """
    check_text(text)
    await on_step(PlannerStep(PlannerAgent.SCENARIO_INTERPRETER, StepStatus.STARTED, f"{INTERPRETER.doing}."))
    understood = interpret(text)
    await on_step(PlannerStep(PlannerAgent.SCENARIO_INTERPRETER, StepStatus.OK, INTERPRETER.done(understood)))
    handoffs = sum(len(agent.handoffs) for agent in declared.agents)
    network = f"The network is declared: {_number(len(declared.agents), 'agent')}, {_number(handoffs, 'handoff')}."
    await on_step(PlannerStep(PlannerAgent.ARCHITECTURE_PLANNER, StepStatus.SKIPPED, network))
    tools = f"The tools are declared: {len(declared.tools)}."
    await on_step(PlannerStep(PlannerAgent.TOOL_SKILL_MAPPER, StepStatus.SKIPPED, tools))
    interpretation = interpretation_of(understood)
    questions = [clean(question, 300) for question in understood.clarifying_questions[:5]]
    architecture = architecture_of(declared, text, interpretation, questions, load_book())
    chosen = f"Chose {_number(len(architecture.failure_modes), 'failure mode')}."
    await on_step(PlannerStep(PlannerAgent.FAILURE_SIMULATION, StepStatus.OK, chosen))
    told = f"Prepared the telemetry of {_number(len(architecture.agents), 'agent')}."
    await on_step(PlannerStep(PlannerAgent.OBSERVABILITY_NARRATIVE, StepStatus.OK, told))
    return Plan(interpretation, architecture)


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
