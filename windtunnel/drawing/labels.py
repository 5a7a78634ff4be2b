"""Places for the labels of links: on their curve, over no card and no other label; where there is none, no label."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

from windtunnel.domain.architectures import Link, NetworkAgent
from windtunnel.drawing.geometry import Curve, Rect
from windtunnel.drawing.text import cut, width
from windtunnel.drawing.words import link_share, link_words

LABEL_SIZE = 11.0
LABEL_HEIGHT = 18.0
LABEL_WIDTH_MAX = 220.0
_NEAR_START = (0.3, 0.38, 0.46, 0.22, 0.54, 0.62, 0.7, 0.78)
_NEAR_END = (0.7, 0.62, 0.54, 0.78, 0.46, 0.38, 0.3, 0.22)
_MIDDLE = (0.5, 0.42, 0.58, 0.34, 0.66, 0.26, 0.74)


@dataclass(frozen=True, slots=True)
class Label:
    """A label cut to its room; `width` includes the padding."""

    words: str
    width: float


def label_of(link: Link, target: NetworkAgent) -> Label | None:
    """The measured label of a link, None for none: its words cut to their room, and its share in full."""
    words = link_words(link, target)
    share_words = link_share(link)
    between = " · " if words and share_words else ""
    room = LABEL_WIDTH_MAX - 14 - width(between + share_words, LABEL_SIZE)
    shown = cut(words, LABEL_SIZE, room) + between + share_words
    return Label(shown, width(shown, LABEL_SIZE) + 16) if shown else None


def label_places(
    labels: Sequence[Label | None],
    routes: Sequence[Sequence[Curve]],
    crowded: Sequence[tuple[int, int]],
    taken: Sequence[Rect],
) -> list[Rect | None]:
    """A rectangle per label, None where it finds no room.

    `crowded` gives, per link, how many links leave its source and reach its target: a label stands where they are
    apart. `taken` are the rectangles to keep clear.
    """
    occupied = list(taken)
    places: list[Rect | None] = []
    for label, route, (leaving, arriving) in zip(labels, routes, crowded, strict=True):
        place = _place(label, route, leaving, arriving, occupied) if label else None
        if place:
            occupied.append(place)
        places.append(place)
    return places


def _place(label: Label, route: Sequence[Curve], leaving: int, arriving: int, occupied: Sequence[Rect]) -> Rect | None:
    open_curves = [curve for curve in route if curve.is_open] or list(route)
    if leaving == arriving == 1:
        tries = chain(((open_curves[len(open_curves) // 2], share) for share in _MIDDLE), _everywhere(open_curves))
    elif leaving >= arriving:
        tries = chain(((open_curves[-1], share) for share in _NEAR_END), _everywhere(open_curves))
    else:
        tries = chain(((open_curves[0], share) for share in _NEAR_START), _everywhere(open_curves))
    for curve, share in tries:
        at = curve.at(share)
        rect = Rect(at.x - label.width / 2, at.y - LABEL_HEIGHT / 2, label.width, LABEL_HEIGHT)
        if not any(rect.overlaps(other, 2.0) for other in occupied):
            return rect
    return None


def _everywhere(curves: Sequence[Curve]) -> list[tuple[Curve, float]]:
    return [(curve, share) for curve in curves for share in (*_MIDDLE, 0.2, 0.8)]
