"""The schema as text: what `schema.graphql` holds."""

from schema.root import CONVENTIONS, build_schema


def sdl() -> str:
    """The schema definition language, types in alphabetical order, fields in ours; ends with a newline."""
    roots = "schema {\n  query: Query\n  mutation: Mutation\n  subscription: Subscription\n}"
    return f'"""\n{CONVENTIONS}\n"""\n{roots}\n\n{build_schema().as_str()}\n'
