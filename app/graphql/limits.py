"""How large an operation may be: measured once per document, fragments spread, before it is validated."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from graphql import GraphQLError
from graphql.language import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    NameNode,
    OperationDefinitionNode,
    SelectionSetNode,
    TokenKind,
)

from windtunnel.domain.errors import ErrorCode

INTROSPECTION = frozenset({"__schema", "__type"})
DIGITS_MAX = 40
"""Enough for any number that means something; reading one takes time that grows with the square of its length."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The most that one operation may be; `rows` as `cost.Cost` counts them."""

    depth: int = 15
    fields: int = 500
    aliases: int = 50
    tokens: int = 2000
    introspection_depth: int = 20
    introspections: int = 5
    repeats: int = 25
    rows: int = 20_000


@dataclass(frozen=True, slots=True)
class Size:
    """What an operation is, with its fragments spread; introspection has a depth of its own."""

    depth: int = 0
    fields: int = 0
    aliases: int = 0
    introspection_depth: int = 0
    introspections: int = 0
    repeats: int = 0


def long_numbers(document: DocumentNode) -> list[GraphQLError]:
    """An error when a number in the document, wherever it stands, is longer than DIGITS_MAX."""
    token = document.loc.start_token if document.loc else None
    while token is not None:
        if token.kind in {TokenKind.INT, TokenKind.FLOAT} and token.end - token.start > DIGITS_MAX:
            message = f"A number has over {DIGITS_MAX} characters; send one that means something."
            return [GraphQLError(message, document, extensions={"code": ErrorCode.BAD_USER_INPUT})]
        token = token.next
    return []


def over_limits(document: DocumentNode, limits: Limits) -> list[GraphQLError]:
    """One error for each limit that an operation of the document breaks."""
    fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
    measured: dict[str, Size] = {}
    return [
        GraphQLError(
            f"The operation's {what} is over the limit of {most:,}; ask for less, in several requests.",
            operation,
            extensions={"code": ErrorCode.QUERY_TOO_COMPLEX},
        )
        for operation in document.definitions
        if isinstance(operation, OperationDefinitionNode)
        for what, most in _broken(_size(operation.selection_set, fragments, measured, frozenset()), limits)
    ]


def _broken(size: Size, limits: Limits) -> Iterator[tuple[str, int]]:
    for what, value, most in (
        ("depth", size.depth, limits.depth),
        ("depth of introspection", size.introspection_depth, limits.introspection_depth),
        ("number of introspections", size.introspections, limits.introspections),
        ("number of fields", size.fields, limits.fields),
        ("number of aliases", size.aliases, limits.aliases),
        ("number of times that it selects one field in one place", size.repeats, limits.repeats),
    ):
        if value > most:
            yield what, most


def _size(
    selections: SelectionSetNode | None,
    fragments: Mapping[str, FragmentDefinitionNode],
    measured: dict[str, Size],
    spreading: frozenset[str],
) -> Size:
    """Depth is the deepest of the parts, the rest their sum; a fragment inside itself counts as nothing."""
    depth = fields = aliases = introspection_depth = introspections = 0
    repeats = _repeats(selections)
    for node in selections.selections if selections else ():
        match node:
            case FieldNode():
                part = _field(node, _size(node.selection_set, fragments, measured, spreading))
            case InlineFragmentNode():
                part = _size(node.selection_set, fragments, measured, spreading)
            case FragmentSpreadNode(name=NameNode(value=name)) if name in fragments and name not in spreading:
                if name not in measured:
                    measured[name] = _size(fragments[name].selection_set, fragments, measured, spreading | {name})
                part = measured[name]
            case _:
                continue  # unknown or inside itself: validation names the problem
        depth = max(depth, part.depth)
        introspection_depth = max(introspection_depth, part.introspection_depth)
        introspections += part.introspections
        repeats = max(repeats, part.repeats)
        fields += part.fields
        aliases += part.aliases
    return Size(depth, fields, aliases, introspection_depth, introspections, repeats)


def _field(node: FieldNode, below: Size) -> Size:
    fields, aliases = below.fields + 1, below.aliases + (node.alias is not None)
    if node.name.value in INTROSPECTION:
        return Size(0, fields, aliases, max(below.depth, below.introspection_depth) + 1, 1, below.repeats)
    return Size(below.depth + 1, fields, aliases, below.introspection_depth, below.introspections, below.repeats)


def _repeats(selections: SelectionSetNode | None) -> int:
    """How often one name comes back in a selection: validation compares each pair of these, all the way down."""
    names = Counter(
        node.alias.value if node.alias else node.name.value
        for node in (selections.selections if selections else ())
        if isinstance(node, FieldNode)
    )
    return max(names.values(), default=0)
