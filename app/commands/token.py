"""`windtunnel token create` and `windtunnel token revoke`: on the database, beside a server or without one."""

import asyncio
from datetime import timedelta
from typing import Annotated

import typer

from app.settings import load_settings
from windtunnel.domain.durations import parse_duration
from windtunnel.domain.entities import Kind, Subject
from windtunnel.domain.errors import ValidationError
from windtunnel.domain.people import SLUG_FORM, email_of, is_slug
from windtunnel.domain.viewers import Role

NAME = "windtunnel token create"

token = typer.Typer(help="Create and revoke API tokens.", no_args_is_help=True)


@token.command()
def create(
    tenant: Annotated[str | None, typer.Option(metavar="SLUG", help="The tenant, made when missing.")] = None,
    user: Annotated[str | None, typer.Option(metavar="EMAIL", help="The person, made when missing.")] = None,
    role: Annotated[
        list[str] | None, typer.Option(metavar="ROLE", help=f"{', '.join(Role)}; again for more than one.")
    ] = None,
    expires: Annotated[
        str | None, typer.Option(metavar="DURATION", help="When it ends, e.g. PT24H; never when absent.")
    ] = None,
    name: Annotated[str, typer.Option(metavar="NAME", help="What it is for.")] = NAME,
) -> None:
    """Print the secret of a new token, alone, on standard output. The person gets the roles, too."""
    settings = load_settings()
    if not tenant or not user or not role:
        raise ValidationError("Say whose token: --tenant SLUG --user EMAIL --role ROLE.", rule="missing")
    slug, email = _slug(tenant), _email(user)
    roles, lasts = [_role(each) for each in role], None if expires is None else _duration(expires)

    from app.commands.tokens import created

    issued = asyncio.run(created(settings, slug, email, roles, lasts=lasts, name=name))
    ends = f"until {issued.token.expires_at:%Y-%m-%d %H:%M} UTC" if issued.token.expires_at else "without an end"
    typer.echo(
        f"Token {Subject(Kind.API_TOKEN, issued.token.id).global_id} ({issued.token.prefix}...), {ends}:", err=True
    )
    typer.echo(issued.secret)


@token.command()
def revoke(
    token: Annotated[str, typer.Argument(metavar="TOKEN", help="Its id or its prefix, as `create` told them.")],
) -> None:
    """Take a token back: it signs nobody in any longer, and what it follows ends within seconds."""
    settings = load_settings()

    from app.commands.tokens import revoked

    withdrawn = asyncio.run(revoked(settings, token.strip()))
    called = f"{Subject(Kind.API_TOKEN, withdrawn.token.id).global_id} ({withdrawn.token.prefix}...)"
    typer.echo(f"Token {called} was revoked before." if withdrawn.before else f"Revoked token {called}.")


def _email(text: str) -> str:
    try:
        return email_of(text)
    except ValidationError as error:
        raise ValidationError(f"--user {text!r} is refused: {error}", rule=error.rule) from None


def _slug(text: str) -> str:
    if not is_slug(text):
        raise ValidationError(f"--tenant {text!r} is refused: {SLUG_FORM}", rule="slug")
    return text


def _role(name: str) -> Role:
    try:
        return Role(name.upper())
    except ValueError:
        raise ValidationError(f"--role {name!r} is not a role; there are {', '.join(Role)}.", rule="role") from None


def _duration(text: str) -> timedelta:
    try:
        return parse_duration(text)
    except ValueError as error:
        raise ValidationError(f"--expires {text!r} is {error}.", rule="duration") from None
