"""A process of a package that stays in its sandbox and answers, until it is stopped or this process ends."""

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from windtunnel.sandbox.box import Sandbox
from windtunnel.sandbox.dialogue import ConversationOverError, Dialogue
from windtunnel.sandbox.errors import SandboxError
from windtunnel.sandbox.interpreter import ISOLATED
from windtunnel.sandbox.outcome import Outcome
from windtunnel.sandbox.telling import cleaned, why

_HOST = Path(__file__).parent / "inside" / "host.py"
FOREVER_S = 10 * 365 * 86_400.0
_CPU_S = 86_400.0
"""What a host uses in its life; it answers questions, and is started anew when it has used this up."""
_LOOK_EVERY_S = 1.0
_ANSWER_MAX_BYTES = 256 * 1024


class HostError(Exception):
    """The host does not answer, or says that it cannot work; the message is for whoever made the package."""


class Host:
    """The process. Get it from `start_host`; `stop` ends it, and so does the end of this process."""

    def __init__(self, sandbox: Sandbox) -> None:
        limits = replace(sandbox.limits, cpu_s=_CPU_S, output_bytes=_ANSWER_MAX_BYTES)
        self._sandbox = replace(sandbox, limits=limits)
        self._run: asyncio.Task[Outcome]
        self._dialogue: asyncio.Future[Dialogue] = asyncio.get_running_loop().create_future()
        self._turn = asyncio.Lock()
        self._asked = 0

    @property
    def alive(self) -> bool:
        """Whether it is still there."""
        return not self._run.done()

    async def ask(self, what: str, given: Any = None, *, within_s: float) -> dict[str, Any]:
        """Its answer. Raises HostError."""
        try:
            async with asyncio.timeout(within_s):
                async with self._turn:
                    return await self._ask(what, given)
        except TimeoutError:
            raise HostError(f"It does not answer within {within_s:g} seconds.") from None
        except ConversationOverError:
            raise HostError(await self._why_over()) from None

    async def stop(self) -> None:
        """End it, with the grace of its sandbox; nothing of it is left."""
        self._run.cancel()
        await asyncio.wait([self._run])

    def start(self, package: Path, ref: str, ended: Callable[[], None]) -> None:
        """Begin: see `start_host`."""
        command = (*ISOLATED, "-c", _HOST.read_text("utf-8"), str(package), ref)
        plan = self._sandbox.plan(command, cwd=package, env={}, wall_s=FOREVER_S)
        plan.look_every_s = _LOOK_EVERY_S
        self._run = asyncio.create_task(self._sandbox.carry_out(plan, b"", self._opened), name=f"host {package.name}")
        self._run.add_done_callback(lambda _: ended())

    def _opened(self, given: bytes, most: int, flooded: Callable[[], None]) -> Dialogue:
        dialogue = Dialogue(given, most, flooded)
        self._dialogue.set_result(dialogue)
        return dialogue

    async def _ask(self, what: str, given: Any) -> dict[str, Any]:
        dialogue = await self._heard()
        self._asked += 1
        dialogue.say(json.dumps({"id": self._asked, "ask": what, "given": given}).encode())
        while True:
            answer = _read(await dialogue.hear())
            if answer.get("id") == self._asked:  # others are late answers
                break
        if "failure" in answer:
            raise HostError(cleaned(f"It cannot be loaded: {answer['failure']}", self._sandbox))
        return answer

    async def _heard(self) -> Dialogue:
        both: tuple[asyncio.Future[Any], ...] = (self._dialogue, self._run)
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        if not self._dialogue.done():
            raise ConversationOverError
        return self._dialogue.result()

    async def _why_over(self) -> str:
        with suppress(TimeoutError):
            async with asyncio.timeout(1.0):
                await asyncio.wait([self._run])
        if not self._run.done() or self._run.cancelled():
            return "It was ended."
        if isinstance(error := self._run.exception(), SandboxError):
            return f"It could not be started: {error}."
        if error is not None:
            return "It could not be started."
        outcome = self._run.result()
        last = outcome.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2]
        return cleaned(f"{why(outcome, self._sandbox.limits, FOREVER_S)} {last}".strip(), self._sandbox)


def start_host(sandbox: Sandbox, package: Path, ref: str, ended: Callable[[], None] = lambda: None) -> Host:
    """Start a process that loads what `ref` (`module:function`, or nothing) names in the package, and answers.

    `package` is one of the sandbox's `ro_paths`, the sandbox is prepared. `ended` is called when it has ended. Whether
    it works is seen when it is asked. Raises SandboxError where nothing may be run.
    """
    sandbox.demand_isolation()
    host = Host(sandbox)
    host.start(package, ref, ended)
    return host


def _read(line: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(line)
    except (ValueError, RecursionError):
        raise HostError("What it says is no answer.") from None
    if not isinstance(answer, dict):
        raise HostError("What it says is no answer.")
    return answer
