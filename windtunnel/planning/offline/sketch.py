"""A network while it is being drawn: nodes and arrows with keys that stay unique."""

from dataclasses import dataclass, field

from windtunnel.domain.architectures import AgentRole, LinkKind
from windtunnel.planning.answers import AgentAnswer, LinkAnswer
from windtunnel.planning.naming import clean, slug, unique
from windtunnel.planning.reading.lexicon import label


@dataclass(frozen=True, slots=True)
class Exit:
    """An agent from which work goes on, with the condition and share of the work that does."""

    key: str
    condition: str | None = None
    probability: float | None = None


@dataclass(slots=True)
class Sketch:
    """Agents and links so far. `open` are the exits that the next block joins to."""

    agents: list[AgentAnswer] = field(default_factory=list)
    links: list[LinkAnswer] = field(default_factory=list)
    entries: list[str] = field(default_factory=list)
    open: list[Exit] = field(default_factory=list)
    ends: list[str] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)

    def add(self, name: str, role: AgentRole, responsibility: str, instructions: str = "", *, copies: int = 1) -> str:
        """Add an agent; returns its key."""
        key = unique(slug(name), self.names)
        self.names[key] = name
        self.agents.append(
            AgentAnswer(
                key=key,
                name=name,
                role=role.value,
                responsibility=clean(responsibility),
                instructions=clean(instructions or responsibility),
                concurrency=max(1, copies),
            )
        )
        return key

    def part(self, language: str, part: str, role: AgentRole, responsibility: str) -> str:
        """Add an agent that a pattern needs and the text does not name; returns its key."""
        return self.add(label(language, part), role, responsibility)

    def link(
        self,
        source: str,
        target: str,
        what: str,
        *,
        kind: LinkKind = LinkKind.HANDOFF,
        condition: str | None = None,
        probability: float | None = None,
    ) -> None:
        """Draw an arrow, unless the same one is there."""
        if any(link.source == source and link.target == target and link.kind == kind.value for link in self.links):
            return
        self.links.append(
            LinkAnswer(
                source=source,
                target=target,
                kind=kind.value,
                label=clean(what, 80),
                condition=clean(condition, 160) if condition else None,
                probability=probability,
            )
        )

    def join(self, key: str, what: str, *, kind: LinkKind = LinkKind.HANDOFF) -> None:
        """Lead every open exit to this agent; without any, it is an entry point."""
        if not self.open:
            self.entries.append(key)
        for exit_ in self.open:
            self.link(exit_.key, key, what, kind=kind, condition=exit_.condition, probability=exit_.probability)
        self.open = []

    def follow(self, key: str, what: str, *, kind: LinkKind = LinkKind.HANDOFF) -> str:
        """Join an agent to what is open and go on from it; returns its key."""
        self.join(key, what, kind=kind)
        self.open = [Exit(key)]
        return key

    def close(self) -> tuple[list[str], list[str]]:
        """Entry and exit points, once everything is drawn."""
        exits = list(dict.fromkeys([*(exit_.key for exit_ in self.open), *self.ends]))
        return list(dict.fromkeys(self.entries)), exits
