"""How one planning agent is asked: through the Agents SDK's Runner, with limits, one repair and a named fallback."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, Protocol, TypeVar

import openai
from agents import Agent, ModelBehaviorError, ModelSettings, OpenAIResponsesModel, RunConfig, Runner
from agents.items import TResponseInputItem
from agents.models.interface import Model
from openai import AsyncOpenAI

from windtunnel.domain.policy import PLANNING_TIMEOUT_S
from windtunnel.planning.answers import Message
from windtunnel.planning.endpoint import code_of, is_nonsense, lacks_dialect, model_for, wait_before_retry
from windtunnel.planning.model import AnswerSchema, OfflineModel
from windtunnel.planning.team import Member

B = TypeVar("B", bound=Message)
A = TypeVar("A", bound=Message)

Api = Literal["auto", "responses", "chat"]
OnRepair = Callable[[str], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Limits:
    """Time limits in seconds: for one planning agent (its repair included), for the whole plan, and between tries."""

    agent_s: float = 25.0
    total_s: float = PLANNING_TIMEOUT_S - 5.0
    retry_wait_s: float = 1.0


@dataclass(frozen=True, slots=True)
class Asked:
    """An answer. `fallback` is the warning code when the endpoint failed and the built-in answer is used instead."""

    answer: Any
    fallback: str | None = None


class Asker(Protocol):
    """Gets a planning agent's answer to a brief."""

    async def ask(self, member: Member[B, A], brief: B, on_repair: OnRepair) -> Asked:
        """The answer; never raises for what the model or its endpoint does."""
        ...


class OfflineAsker:
    """Asks the offline model."""

    async def ask(self, member: Member[B, A], brief: B, on_repair: OnRepair) -> Asked:
        """The built-in answer, through the Runner."""
        return Asked(await _run(member, _offline_model(member), [_user(brief.model_dump_json())]))


class EndpointAsker:
    """Asks a model endpoint; used for one plan. After a timeout or a dead connection it does not try again."""

    def __init__(self, client: AsyncOpenAI, model: str, api: Api, limits: Limits) -> None:
        self._client = client
        self._model = model
        self._api = "responses" if api == "auto" else api
        self._may_switch = api == "auto"
        self._limits = limits
        self._deadline = time.monotonic() + limits.total_s
        self._given_up: str | None = None

    async def ask(self, member: Member[B, A], brief: B, on_repair: OnRepair) -> Asked:
        """The model's answer, or the built-in one with the reason."""
        code = self._given_up
        if code is None:
            left = max(0.0, min(self._limits.agent_s, self._deadline - time.monotonic()))
            try:
                async with asyncio.timeout(left):
                    return Asked(await self._try(member, brief, on_repair))
            except Exception as error:  # noqa: BLE001 - whatever a foreign endpoint provokes must not end the planning
                code = code_of(error)
                if code in {"MODEL_TIMEOUT", "MODEL_UNREACHABLE"}:
                    self._given_up = code
        built_in = await OfflineAsker().ask(member, brief, on_repair)
        return Asked(built_in.answer, fallback=code)

    async def _try(self, member: Member[B, A], brief: B, on_repair: OnRepair) -> A:
        question = [_user(brief.model_dump_json())]
        try:
            return await self._request(member, question)
        except Exception as error:
            if not is_nonsense(error):
                raise
            await on_repair(str(error))
            repair = f"Your last answer could not be used: {error}\nAnswer the brief again, as JSON of the schema only."
            return await self._request(member, [*question, _user(repair)])

    async def _request(self, member: Member[B, A], question: list[TResponseInputItem]) -> A:
        retried = False
        while True:
            try:
                return await _run(member, model_for(self._client, self._model, self._api), question)
            except openai.APIStatusError as error:
                if lacks_dialect(error) and self._may_switch:
                    self._may_switch = False
                    self._api = "chat"
                    continue
                wait = wait_before_retry(error, self._limits.retry_wait_s)
                if wait is None or retried:
                    raise
                retried = True
                await asyncio.sleep(wait)


async def _run(member: Member[B, A], model: Model, question: list[TResponseInputItem]) -> A:
    agent: Agent[None] = Agent(
        name=member.name,
        instructions=member.instructions,
        model=model,
        # Nobody outside is to keep the scenario; Chat Completions keeps nothing unless asked to.
        model_settings=ModelSettings(store=False) if isinstance(model, OpenAIResponsesModel) else ModelSettings(),
        output_type=_schema(member),
    )
    result = await Runner.run(agent, question, max_turns=1, run_config=RunConfig(tracing_disabled=True))
    if not isinstance(result.final_output, member.answer):
        raise ModelBehaviorError("The run ended without an answer.")
    return result.final_output


@cache
def _schema(member: Member[Any, Any]) -> AnswerSchema:
    return AnswerSchema(member.answer)


@cache
def _offline_model(member: Member[Any, Any]) -> OfflineModel:
    return OfflineModel(member.brief, member.offline)


def _user(content: str) -> TResponseInputItem:
    return {"role": "user", "content": content}
