"""`windtunnel schema`: print the SDL; `schema.graphql` is its output."""

import typer


def schema() -> None:
    """Print the GraphQL schema (SDL)."""
    from schema.printing import sdl

    typer.echo(sdl(), nl=False)
