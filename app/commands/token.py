"""`windtunnel token create` and `windtunnel token revoke`: on the database, beside a server or without one."""

import asyncio
from datetime import timedelta
from typing import Annotated

import typer

from app.settings import Settings, load_settings
from app.wiring import ready_store
from schema.ids import Kind, encode, is_raw, raw_of
from windtunnel.domain.durations import parse_duration
from windtunnel.domain.errors import NotFoundError, ValidationError
from windtunnel.domain.viewers import Role
from windtunnel.operations.minting import Issued
from windtunnel.operations.provide_token import provide_token
from windtunnel.operations.withdraw_token import withdraw_token
from windtunnel.storage.store import DatabaseRole

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
    roles, lasts = [_role(each) for each in role], None if expires is None else _duration(expires)
    issued = asyncio.run(_create(settings, tenant, user, roles, lasts=lasts, name=name))
    ends = f"until {issued.token.expires_at:%Y-%m-%d %H:%M} UTC" if issued.token.expires_at else "without an end"
    typer.echo(f"Token {encode(Kind.API_TOKEN, issued.token.id)} ({issued.token.prefix}...), {ends}:", err=True)
    typer.echo(issued.secret)


@token.command()
def revoke(id: Annotated[str, typer.Argument(metavar="ID", help="The token's id, as `create` told it.")]) -> None:
    """Take a token back: it signs nobody in any longer, and what it follows ends within seconds."""
    settings = load_settings()
    raw = raw_of(Kind.API_TOKEN, id) or (id if is_raw(id) else None)
    if raw is None:
        raise NotFoundError(f"{id!r} is not the id of a token.")
    asyncio.run(_revoke(settings, raw))


async def _create(
    settings: Settings, tenant: str, user: str, roles: list[Role], *, lasts: timedelta | None, name: str
) -> Issued:
    async with ready_store(settings, DatabaseRole.API) as store:
        return await provide_token(store, tenant, user, roles, name=name, expires_in=lasts)


async def _revoke(settings: Settings, id: str) -> None:
    async with ready_store(settings, DatabaseRole.API) as store:
        await withdraw_token(store, id)


def _role(name: str) -> Role:
    try:
        return Role(name.upper())
    except ValueError:
        raise ValidationError(f"{name!r} is not a role; there are {', '.join(Role)}.", rule="role") from None


def _duration(text: str) -> timedelta:
    try:
        return parse_duration(text)
    except ValueError as error:
        raise ValidationError(f"--expires {text!r} is {error}.", rule="duration") from None
