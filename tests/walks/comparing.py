"""Whether two ids are answered alike, at the same cost: then nobody can tell what they stand for."""

from functools import cache

from schema.ids import decode
from tests.queries import counted
from tests.walks.inputs import OwnId, arguments
from tests.walks.shape import Slot
from tests.walks.world import World, shown, unknown

LEVELS = 3


async def differences(world: World, slot: Slot, real: str, nothing: str, own: OwnId | None = None) -> list[str]:
    """What is not the same when I give the one id or the other; `own` are the ids beside it.

    What costs more once is asked again: it may have been the turn of something that is kept for a while.
    """
    own = own or cache(unknown)
    for _ in range(2):
        answers, costs = [], []
        for named in (nothing, real):
            given = arguments(slot.entry, own, slot.path, named)
            with counted(world.store) as statements:
                answers.append(shown(await world.ask(slot.entry, given, world.mine, LEVELS), named))
            costs.append(statements)
        if answers[0] != answers[1]:
            return [f"{slot} of {decode(real)}: {answers[1]!r} is not {answers[0]!r}"]
        if costs[0] == costs[1]:
            return []
    return [f"{slot} of {decode(real)}: costs {costs[1]}, not {costs[0]}"]
