"""Doing a study, on whatever executor there is: here, in a pool of processes, or on a cluster."""

from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future, as_completed

from windtunnel.experiments.measures import Measures, joined
from windtunnel.experiments.study import Chunk, Study, simulated


def conduct(
    study: Study,
    executor: Executor | None = None,
    progress: Callable[[float], None] = lambda share: None,
    *,
    done: dict[Chunk, Measures] | None = None,
) -> list[Measures]:
    """Do all of a study and return the measures of each side; without an executor, here.

    Chunks may end in any order: the answer does not depend on it. `progress` is told shares from 0 to 1. Chunks that
    are in `done` are not done again, and those that are done are put there: whoever gives it can go on after an error.
    """
    chunks, done = study.chunks, {} if done is None else done
    left = [chunk for chunk in chunks if chunk not in done]
    if executor is None:
        for chunk in left:
            done[chunk] = study.do(chunk)
            progress(len(done) / len(chunks))
        return gathered(study, done)
    waiting: dict[Future[Measures], Chunk] = {
        executor.submit(simulated, study.sides[chunk.side].model, study.load, study.warmup, chunk): chunk
        for chunk in left
    }
    try:
        for future in as_completed(waiting):
            done[waiting[future]] = future.result()
            progress(len(done) / len(chunks))
    finally:
        for future, chunk in waiting.items():
            if not future.cancel() and future.done() and future.exception() is None:
                done[chunk] = future.result()
    return gathered(study, done)


def gathered(study: Study, done: dict[Chunk, Measures]) -> list[Measures]:
    """The measures of each side, in order, from those of all chunks."""
    parts: Sequence[list[Measures]] = [[] for _ in study.sides]
    for chunk in study.chunks:
        parts[chunk.side].append(done[chunk])
    return [joined(side) for side in parts]
