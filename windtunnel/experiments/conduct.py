"""Doing a study, on whatever executor there is: here, in a pool of processes, or on a cluster."""

from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future, as_completed

from windtunnel.experiments.measures import Measures, joined
from windtunnel.experiments.study import Chunk, Study


def conduct(
    study: Study, executor: Executor | None = None, progress: Callable[[float], None] = lambda share: None
) -> list[Measures]:
    """Do all of a study and return the measures of each side; without an executor, here.

    Chunks may end in any order: the answer does not depend on it. `progress` is told shares from 0 to 1.
    """
    chunks = study.chunks
    done: dict[Chunk, Measures] = {}
    if executor is None:
        for chunk in chunks:
            done[chunk] = study.do(chunk)
            progress(len(done) / len(chunks))
        return gathered(study, done)
    waiting: dict[Future[Measures], Chunk] = {executor.submit(study.do, chunk): chunk for chunk in chunks}
    try:
        for future in as_completed(waiting):
            done[waiting[future]] = future.result()
            progress(len(done) / len(chunks))
    finally:
        for future in waiting:
            future.cancel()
    return gathered(study, done)


def gathered(study: Study, done: dict[Chunk, Measures]) -> list[Measures]:
    """The measures of each side, in order, from those of all chunks."""
    parts: Sequence[list[Measures]] = [[] for _ in study.sides]
    for chunk in study.chunks:
        parts[chunk.side].append(done[chunk])
    return [joined(side) for side in parts]
