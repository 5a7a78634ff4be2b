"""A run as its conductor needs it: repeated up to what is stored, then told in batches."""

import asyncio
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from windtunnel.domain.architectures import Architecture
from windtunnel.domain.events import EventDraft
from windtunnel.domain.simulations import Command, Simulation
from windtunnel.knowledge import Book
from windtunnel.planning import failure_mode_for
from windtunnel.simulation.run import Run

STEPS_PER_TURN = 100
"""Repeated at a time before the event loop serves others."""


class EngineError(Exception):
    """The engine, or what it is given, is defective; the cause says how."""


class Performance:
    """The run of a simulation. Every method raises EngineError when it cannot go on."""

    def __init__(self, book: Book, simulation: Simulation, architecture: Architecture) -> None:
        self._untold: list[EventDraft] = []
        with _engine():
            self._run = Run(
                architecture,
                simulation.seed,
                failures=simulation.failures,
                injected=[failure_mode_for(book, code, architecture) for code in simulation.inject_failures],
            )

    @property
    def over(self) -> bool:
        """True once nothing more will happen."""
        return self._run.over

    @property
    def step(self) -> int:
        """Steps done."""
        return self._run.step

    @property
    def next_at_ms(self) -> float | None:
        """Simulated time of the next step; None when it is over."""
        return self._run.next_at_ms

    @property
    def elapsed_ms(self) -> float:
        """Simulated time so far."""
        return self._run.elapsed_ms

    @property
    def narrative(self) -> str:
        """The closing words, once it is over."""
        return self._run.narrative

    async def repeat(self, stored: int, recorded: Sequence[Command]) -> None:
        """Do the steps again whose `stored` events are stored, and every recorded command at its step."""
        commands = deque(sorted((each for each in recorded if each.step is not None), key=_order))
        told: list[EventDraft] = []
        with _engine():
            while not self._run.over:
                while commands and commands[0].step == self._run.step:
                    self.inject(commands.popleft())
                if len(told) >= stored and not commands:
                    break
                told += self._run.advance()
                if self._run.step % STEPS_PER_TURN == 0:
                    await asyncio.sleep(0)
        self._untold = told[stored:]

    def drafts_until(self, simulated_ms: float | None, limit: int) -> list[EventDraft]:
        """What happens up to that simulated time (None: however long it takes), in whole steps, ending at `limit`."""
        drafts, self._untold = self._untold, []
        with _engine():
            while not self._run.over and len(drafts) < limit:
                at = self._run.next_at_ms
                if simulated_ms is not None and at is not None and at > simulated_ms:
                    break
                drafts += self._run.advance()
        return drafts

    def inject(self, command: Command) -> None:
        """Carry out a command before the next step."""
        with _engine():
            self._run.inject(command.mode, command.target)


def _order(command: Command) -> tuple[int, int]:
    return command.step or 0, command.number


@contextmanager
def _engine() -> Iterator[None]:
    try:
        yield
    except EngineError:
        raise
    except Exception as error:
        raise EngineError(str(error)) from error
