"""Words in, architecture out: the five planning agents.

The Agents SDK takes over a second to import, so the first plan imports it, in a thread; or `warm_up` before.
"""

import asyncio
import importlib
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from windtunnel.domain.architectures import Architecture
from windtunnel.domain.drawn_networks import DrawnNetwork
from windtunnel.domain.planning import OnStep, Plan, Planner, PlannerMode, PlannerStep
from windtunnel.planning.declared import Declared, DeclaredAgent, DeclaredTool
from windtunnel.planning.failure_model import failure_mode_for

if TYPE_CHECKING:
    from windtunnel.planning.asking import Api, Limits

__all__ = [
    "Declared",
    "DeclaredAgent",
    "DeclaredTool",
    "draw",
    "failure_mode_for",
    "offline_planner",
    "openai_planner",
    "plan_declared",
    "warm_up",
]


def offline_planner() -> Planner:
    """The planner that needs no key and no network: the same text always gives the same plan."""
    return _OfflinePlanner()


def openai_planner(
    model: str, base_url: str | None, api_key: str, api: "Api" = "auto", limits: "Limits | None" = None
) -> Planner:
    """The planner at an OpenAI-compatible endpoint; what it does not answer well is answered offline, and named.

    `api` is the dialect: `responses`, `chat`, or `auto` (Responses first, Chat Completions where that is unknown).
    """
    return _OpenAIPlanner(model, base_url, api_key, api, limits)


async def plan_declared(declared: Declared, text: str, on_step: OnStep) -> Plan:
    """The declared network as the plan for a scenario, without any model: always the same for the same two.

    Raises ValidationError as `Planner.plan` does.
    """
    module = await asyncio.to_thread(importlib.import_module, "windtunnel.planning.declared_plan")
    plan: Plan = await module.plan_declared(declared, text, on_step)
    return plan


async def draw(drawn: DrawnNetwork, origin: Architecture | None) -> Architecture:
    """The architecture of a network drawn by hand, or edited from `origin`: always the same for the same two.

    Raises RefusedError for everything that is wrong with it.
    """
    module = await asyncio.to_thread(importlib.import_module, "windtunnel.planning.drawn_network")
    made: Architecture = await asyncio.to_thread(module.architecture_of, drawn, origin)
    return made


def warm_up() -> None:
    """Import the Agents SDK, read the data files and plan once; call it from a thread once the port is open."""
    from windtunnel.planning.reading.lexicon import LANGUAGES, matcher

    asyncio.run(_plan_offline("An agent reads incoming mail, then a manager approves the reply.", _ignore))
    for language in LANGUAGES:
        matcher((language,))


@dataclass(frozen=True)
class _OfflinePlanner:
    mode = PlannerMode.OFFLINE
    model = None

    async def plan(self, text: str, on_step: OnStep) -> Plan:
        return await _plan_offline(text, on_step)


@dataclass(frozen=True)
class _OpenAIPlanner:
    model: str
    base_url: str | None
    api_key: str = field(repr=False)
    api: "Api"
    limits: "Limits | None"
    mode = PlannerMode.OPENAI

    async def plan(self, text: str, on_step: OnStep) -> Plan:
        await _import_planner()
        from windtunnel.planning.asking import Limits
        from windtunnel.planning.planner import plan_at_endpoint

        limits = self.limits or Limits()
        return await plan_at_endpoint(
            text, on_step, model=self.model, base_url=self.base_url, api_key=self.api_key, api=self.api, limits=limits
        )


async def _plan_offline(text: str, on_step: OnStep) -> Plan:
    await _import_planner()
    from windtunnel.planning.planner import plan_offline

    return await plan_offline(text, on_step)


_imported = threading.Event()


async def _import_planner() -> None:
    """Import the planner in a thread the first time, so that the event loop goes on meanwhile."""
    if not _imported.is_set():
        await asyncio.to_thread(importlib.import_module, "windtunnel.planning.planner")
        _imported.set()


async def _ignore(_: PlannerStep) -> None:
    return None
