"""An architecture as a self-contained SVG picture: no scripts, no references, light and dark, the same every time."""

from collections.abc import Mapping, Sequence

from windtunnel.domain.architectures import Architecture, Link, LinkKind
from windtunnel.domain.failures import FailureOutcome
from windtunnel.drawing.cards import CARD_WIDTH, Card, card_markup, cards_of
from windtunnel.drawing.gates import GATE, gates_of
from windtunnel.drawing.geometry import number
from windtunnel.drawing.grid import Wire
from windtunnel.drawing.heat import Heats
from windtunnel.drawing.labels import LABEL_HEIGHT, Label, label_of, label_places
from windtunnel.drawing.layout import Layout, laid_out
from windtunnel.drawing.legend import legend
from windtunnel.drawing.links import docked, label_markup, link_markup
from windtunnel.drawing.markup import SVG_NAMESPACE, tag, title
from windtunnel.drawing.sheet import style_sheet
from windtunnel.drawing.words import count

MARGIN = 36.0
ROOM_MIN = 560.0
RIGHTWARDS_MAX = 1480.0
RIGHTWARDS_AGENTS = 18
"""A network flows to the right when it is no larger and no wider than this, else downwards."""


def svg(
    architecture: Architecture,
    *,
    load: Mapping[str, float] | None = None,
    struck: Mapping[str, FailureOutcome] | None = None,
    heats: Heats | None = None,
) -> str:
    """The network as an SVG document.

    After a run `load` gives the share of time (0 to 1) that agents were busy and `struck` how the worst failure ended
    that hit them, both by agent key. After an experiment `heats` colours agents and tools by how busy they were.
    """
    heats = heats or {}
    cards = cards_of(architecture, heats)
    links, wires, labels = _wires(architecture)
    layout = _layout(cards, wires)
    routes = [
        docked(
            route,
            (cards[wire.source].agent.role, layout.boxes[wire.source]),
            (cards[wire.target].agent.role, layout.boxes[wire.target]),
            layout.rightwards,
        )
        for wire, route in zip(wires, layout.routes, strict=True)
    ]
    gates = gates_of(architecture, layout)
    clear = [*layout.boxes, *(gate.place for gate in gates)]
    places = label_places(labels, layout.routes, [_neighbours(link, links) for link in links], clear)
    room = max(layout.width, ROOM_MIN)
    left = MARGIN + (room - layout.width) / 2
    struck, load = struck or {}, load or {}
    drawing = tag(
        "g",
        *(link_markup(link, route) for link, route in zip(links, routes, strict=True)),
        *(gate.markup for gate in gates),
        *(
            label_markup(link, label, place)
            for link, label, place in zip(links, labels, places, strict=True)
            if label and place
        ),
        *(
            card_markup(card, box, struck.get(card.agent.key), load.get(card.agent.key))
            for card, box in zip(cards, layout.boxes, strict=True)
        ),
        transform=f"translate({number(left)} {number(MARGIN)})",
    )
    signs, signs_height = legend(architecture, room, list(struck.values()), [heats[key].level for key in sorted(heats)])
    line_y = MARGIN + layout.height + GATE + 14
    height = line_y + 16 + signs_height + 12
    wide = room + 2 * MARGIN
    return str(
        tag(
            "svg",
            title(_name(architecture)),
            tag("desc", architecture.summary or " "),
            style_sheet(),
            tag("rect", width=wide, height=height, rx=14.0, class_="wt-page"),
            drawing,
            tag("path", d=f"M{number(MARGIN)} {number(line_y)}H{number(wide - MARGIN)}", class_="wt-separator"),
            tag("g", signs, transform=f"translate({number(MARGIN)} {number(line_y + 14)})"),
            xmlns=SVG_NAMESPACE,
            viewBox=f"0 0 {number(wide)} {number(height)}",
            width=wide,
            height=height,
            class_="wt",
            role="img",
            aria_label=_name(architecture),
        )
    )


def _name(architecture: Architecture) -> str:
    agents, links, tools = len(architecture.agents), len(architecture.links), len(architecture.tools)
    return f"Agent network: {count(agents, 'agent')}, {count(links, 'link')}, {count(tools, 'tool')}"


def _wires(architecture: Architecture) -> tuple[list[Link], list[Wire], list[Label | None]]:
    places = {agent.key: place for place, agent in enumerate(architecture.agents)}
    links = [link for link in architecture.links if link.source in places and link.target in places]
    labels = [label_of(link, architecture.agents[places[link.target]]) for link in links]
    wires = [
        Wire(
            places[link.source],
            places[link.target],
            link.kind is LinkKind.FEEDBACK,
            link.kind,
            label.width if label else 0.0,
        )
        for link, label in zip(links, labels, strict=True)
    ]
    return links, wires, labels


def _layout(cards: Sequence[Card], wires: Sequence[Wire]) -> Layout:
    """To the right when that is not too wide, else downwards; a wire's label is as wide or as high as the flow goes."""
    sizes = [(CARD_WIDTH, card.height) for card in cards]
    if len(cards) <= RIGHTWARDS_AGENTS:
        across = [wire._replace(label=wire.label + 64 if wire.label else 0) for wire in wires]
        layout = laid_out(sizes, across, widest=6, gap=84, rightwards=True)
        if layout.width <= RIGHTWARDS_MAX:
            return layout
    lines = [wire._replace(label=LABEL_HEIGHT + 54 if wire.label else 0) for wire in wires]
    return laid_out(sizes, lines, widest=5 if len(cards) <= 30 else 6, gap=48)


def _neighbours(link: Link, links: Sequence[Link]) -> tuple[int, int]:
    leaving = sum(other.source == link.source for other in links)
    return leaving, sum(other.target == link.target for other in links)
