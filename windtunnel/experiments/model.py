"""What an experiment simulates: a network with names that people know, tokens per attempt, and ways to change it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from windtunnel.simulation.extras import BEGINS_MS
from windtunnel.simulation.network import Network, Node, Route, compile_network
from windtunnel.simulation.resilience import Quota

TASK_LIST = "human_task"
"""The kind of tool that is a person's task list."""


@dataclass(frozen=True, slots=True)
class Place:
    """A node of the network with what it stands for.

    `owner` is the agent or tool that its load is reported under ("" for a mere crossing): several nodes may stand for
    one. `agent` is the agent whose visit it is part of; it `checks` others' work when all that it can get wrong is not
    to see their mistakes. An attempt uses `input_tokens` and `output_tokens` of a model, on average.
    """

    node: Node
    owner: str
    agent: str = ""
    input_tokens: float = 0.0
    output_tokens: float = 0.0
    checks: bool = False


@dataclass(frozen=True, slots=True)
class Mode:
    """A failure mode of the model: `struck` are the nodes as they are, by key, when it happens for certain."""

    code: str
    probability: float
    provenance: str
    struck: tuple[Node, ...]


@dataclass(frozen=True)
class Model:
    """Places and routes, in an order that never changes, so that variants meet common random numbers."""

    places: tuple[Place, ...]
    routes: tuple[Route, ...]
    entry: tuple[str, ...]
    quotas: tuple[Quota, ...] = ()
    begins_ms: float = BEGINS_MS
    modes: tuple[Mode, ...] = ()

    @cached_property
    def network(self) -> Network:
        """The compiled network."""
        nodes = [place.node for place in self.places]
        return compile_network(nodes, self.routes, self.entry, quotas=self.quotas, begins_ms=self.begins_ms)

    @cached_property
    def owners(self) -> tuple[str, ...]:
        """The agents and tools, each once, in the order of their first node."""
        return tuple(dict.fromkeys(place.owner for place in self.places if place.owner))

    def changed(self, owners: Sequence[str], change: Callable[[Node], Node]) -> "Model":
        """The same model with every node of some agents or tools changed."""
        chosen = set(owners)
        places = [replace(place, node=change(place.node)) if place.owner in chosen else place for place in self.places]
        return replace(self, places=tuple(places))

    def paired_with(self, base: "Model") -> "Model":
        """The same model with nodes of the base's keys on the base's random numbers, and all others on their own."""
        numbers = {place.node.key: number for number, place in enumerate(base.places)}
        free = len(base.places)
        places = []
        for place in self.places:
            number = numbers.get(place.node.key)
            if number is None:
                number, free = free, free + 1
            places.append(replace(place, node=replace(place.node, stream=number)))
        return replace(self, places=tuple(places))

    def struck_by(self, mode: Mode) -> "Model":
        """The same model while one of its failure modes happens for certain."""
        struck = {node.key: node for node in mode.struck}
        places = [replace(place, node=struck.get(place.node.key, place.node)) for place in self.places]
        return replace(self, places=tuple(places))

    def without(self, owner: str) -> "Model":
        """The same model with an agent or tool forced down: all of its attempts fail; a fallback still answers."""
        return self.changed([owner], lambda node: replace(node, failure_probability=1.0))
