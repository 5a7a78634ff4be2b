"""Planning: five planning agents in order, offline or at an OpenAI-compatible endpoint."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

from windtunnel.domain.architectures import PlanningWarning
from windtunnel.domain.events import StepStatus
from windtunnel.domain.planning import OnStep, Plan, PlannerStep
from windtunnel.domain.scenarios import check_text
from windtunnel.knowledge import load_book
from windtunnel.planning.answers import (
    Answers,
    ArchitectBrief,
    CatalogueItem,
    FailuresBrief,
    InterpreterBrief,
    MapperBrief,
    Message,
    NarratorBrief,
)
from windtunnel.planning.asking import Api, Asker, EndpointAsker, Limits, OfflineAsker
from windtunnel.planning.assembly import assemble
from windtunnel.planning.endpoint import SENTENCES, client_for
from windtunnel.planning.naming import clean
from windtunnel.planning.offline.coverage import not_drawn
from windtunnel.planning.offline.warnings import warnings_of
from windtunnel.planning.reading.reading import read
from windtunnel.planning.team import ARCHITECT, FAILURES, INTERPRETER, MAPPER, NARRATOR, Member

B = TypeVar("B", bound=Message)
A = TypeVar("A", bound=Message)


async def plan_offline(text: str, on_step: OnStep) -> Plan:
    """Plan without any model outside; see `domain.planning.Planner`."""
    return await _Session(check_text(text), on_step, OfflineAsker(), measured=False).plan()


async def plan_at_endpoint(
    text: str, on_step: OnStep, *, model: str, base_url: str | None, api_key: str, api: Api, limits: Limits
) -> Plan:
    """Plan at an OpenAI-compatible endpoint; what it does not answer in time and shape is answered offline."""
    check_text(text)
    # A client belongs to one event loop, and its connections to one plan: nothing is left open behind it.
    async with client_for(base_url, api_key, limits.agent_s) as client:
        asker = EndpointAsker(client, model, api, limits)
        return await _Session(text, on_step, asker, measured=True).plan()


class _Session:
    """One plan under way."""

    def __init__(self, text: str, on_step: OnStep, asker: Asker, *, measured: bool) -> None:
        self._text = text
        self._on_step = on_step
        self._asker = asker
        self._measured = measured
        self._warnings: list[PlanningWarning] = []

    async def plan(self) -> Plan:
        text, book = self._text, load_book()
        interpreter = await self._ask(INTERPRETER, InterpreterBrief(scenario=text))
        architect = await self._ask(
            ARCHITECT, ArchitectBrief(scenario=text, interpretation=interpreter, patterns=_catalogue().patterns)
        )
        tools, modes = _catalogue().tools, _catalogue().modes
        rest: list[Callable[[], Awaitable[Any]]] = [
            lambda: self._ask(MAPPER, MapperBrief(scenario=text, network=architect, tools=tools)),
            lambda: self._ask(FAILURES, FailuresBrief(scenario=text, network=architect, failure_modes=modes)),
            lambda: self._ask(NARRATOR, NarratorBrief(scenario=text, network=architect)),
        ]
        if self._measured:
            mapper, failures, narrator = await _together(rest)
        else:
            mapper, failures, narrator = [await ask() for ask in rest]
        answers = Answers(
            interpreter=interpreter, architect=architect, mapper=mapper, failures=failures, narrator=narrator
        )
        warnings = [*warnings_of(read(text), interpreter.confidence), *self._warnings]
        if not self._measured:
            warnings += not_drawn(read(text))
        return assemble(text, answers, book, warnings)

    async def _ask(self, member: Member[B, A], brief: B) -> Any:
        started = time.monotonic()

        async def on_repair(reason: str) -> None:
            await self._tell(member, StepStatus.RETRIED, f"{member.name} is asked again: {clean(reason, 200)}", started)

        await self._on_step(PlannerStep(member.place, StepStatus.STARTED, f"{member.doing}."))
        asked = await self._asker.ask(member, brief, on_repair)
        if asked.fallback is None:
            await self._tell(member, StepStatus.OK, member.done(asked.answer), started)
        else:
            message = f"{member.name}: the model {SENTENCES[asked.fallback]}; the built-in planner answered instead."
            self._warnings.append(PlanningWarning(asked.fallback, message))
            await self._tell(member, StepStatus.FAILED, message, started)
        return asked.answer

    async def _tell(self, member: Member[B, A], status: StepStatus, message: str, started: float) -> None:
        duration_ms = round((time.monotonic() - started) * 1000) if self._measured else None
        await self._on_step(PlannerStep(member.place, status, message, duration_ms))


async def _together(calls: list[Callable[[], Awaitable[Any]]]) -> list[Any]:
    """Run all at once; the first failure cancels the others and is raised as it is."""
    tasks = [asyncio.ensure_future(call()) for call in calls]
    try:
        return list(await asyncio.gather(*tasks))
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise


@dataclass(frozen=True, slots=True)
class _Catalogue:
    patterns: list[CatalogueItem]
    tools: list[CatalogueItem]
    modes: list[CatalogueItem]


@cache
def _catalogue() -> _Catalogue:
    """What the briefs show of the book, made once."""
    book = load_book()
    return _Catalogue(
        patterns=[_item(entry.id, entry.use_when) for entry in book.patterns.values()],
        tools=[_item(entry.id, entry.purpose) for entry in book.tools.values()],
        modes=[_item(code, book.definition(code).title) for code in book.triggers],
    )


def _item(identifier: str, text: str) -> CatalogueItem:
    return CatalogueItem(id=identifier, text=text)
