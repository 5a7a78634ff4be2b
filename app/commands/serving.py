"""What `windtunnel serve` does: apart from its options, so that other commands start without a server."""

import threading
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import typer

from app.descriptors import take_descriptors
from app.settings import Settings, SettingsError
from app.wiring.databases import require_many_processes
from app.wiring.entrance import opened_entrance
from app.wiring.keys import checkpoint_files
from app.wiring.limiter import opened_limiter
from app.wiring.runtime import Runtime, open_runtime
from windtunnel.storage.store import DatabaseRole, Store

GREETING = """\
Windtunnel {version}: planner {planner}, {database}.

  GraphiQL   {address}/graphql
  REST       POST {address}/simulate with {{"scenario": "..."}}

To paste into GraphiQL:

  mutation {{
    simulate(input: {{
      scenario: {{ text: "Customers write to a web shop. Sort each message by topic. Draft an answer." }}
      pace: 5
    }}) {{ simulation {{ id architecture {{ summary agents {{ key role }} }} }} errors {{ code message }} }}
  }}

{sign_in}

Stop with Ctrl-C."""

SIGN_IN = {
    "dev": """\
Without a token you are you@demo.local with every role. To be somebody with fewer, put one of these into GraphiQL's
headers tab:
""",
    "token": "Sign in with a token: `windtunnel token create --tenant SLUG --user EMAIL --role ROLE` makes one.",
    "oidc": "Sign in with a token of {issuer}, or with one of `windtunnel token create`.",
}


async def serving(settings: Settings, *, with_worker: bool) -> None:
    """Serve until somebody stops it. Raises SettingsError."""
    take_descriptors()
    from app.checkpointer import Checkpointer
    from app.graphql.guard import operation_guard
    from app.graphql.trusted import TrustedDocuments
    from app.http import build_app
    from app.listening import HostError, ListeningError
    from app.manifests import load_manifest
    from app.metrics import Metrics
    from app.server import make_server
    from schema.root import build_schema

    if not with_worker:
        require_many_processes(settings, "windtunnel serve --no-worker")
    documents = TrustedDocuments(settings.documents, load_manifest(settings.document_manifest))
    async with (
        open_runtime(settings, DatabaseRole.SERVER if with_worker else DatabaseRole.API) as runtime,
        opened_limiter(settings) as limiter,
        opened_entrance(settings, runtime.services) as entrance,
        Checkpointer(runtime.services.store, checkpoint_files(settings)),
        _printed_tokens(settings, runtime.services.store) as printed,
        _conducting(runtime, settings.worker_concurrency if with_worker else 0, warm=settings.warm_up == "on"),
    ):
        metrics = Metrics()
        app = build_app(
            runtime.services,
            build_schema([operation_guard(metrics)]),
            entrance,
            metrics,
            loopback_only=settings.auth == "dev",
            allowed_origins=settings.allowed_origins,
            graphiql=settings.shows_graphiql,
            limiter=limiter,
            documents=documents,
            metrics_token=settings.metrics_token,
        )

        def opened() -> None:
            _greet(settings, printed)
            if settings.warm_up == "on":
                _warm_up()

        server = make_server(app, settings.host, settings.port, opened, trusted_proxies=settings.trusted_proxies)
        try:
            await server.serve()
        except HostError as error:
            raise SettingsError(f"WINDTUNNEL_HOST={settings.host!r} cannot be listened on: {error}.") from None
        except ListeningError as error:
            raise SettingsError(
                f"Port {settings.port} of {settings.host} cannot be opened: {error}; stop it, or choose another "
                "with --port or WINDTUNNEL_PORT."
            ) from None


@asynccontextmanager
async def _conducting(runtime: Runtime, concurrency: int, *, warm: bool) -> AsyncIterator[None]:
    if not concurrency:
        yield
        return
    from app.caretaker import Caretaker
    from app.deliverer import Deliverer
    from app.deployer import Deployer
    from app.experimenter import Experimenter
    from app.housekeeper import Housekeeper
    from app.worker import Worker

    async with (
        Housekeeper(runtime.services.store, runtime.services.blobs),
        Deliverer(runtime.services, owner=runtime.owner),
        Caretaker(runtime.services, owner=runtime.owner),
        Deployer(runtime.services, owner=runtime.owner, warm=warm),
        Experimenter(runtime.services, owner=runtime.owner, warm=warm),
        Worker(runtime.services, owner=runtime.owner, concurrency=concurrency),
    ):
        yield


@asynccontextmanager
async def _printed_tokens(settings: Settings, store: Store) -> AsyncIterator[Mapping[str, str]]:
    """Secrets of the demo's people, by address; there are none outside of dev."""
    if settings.auth != "dev":
        yield {}
        return
    from app.sign_in.demo import demo_tokens

    async with demo_tokens(store) as printed:
        yield printed


def _greet(settings: Settings, printed: Mapping[str, str]) -> None:
    from windtunnel import __version__

    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    typer.echo(
        GREETING.format(
            version=__version__,
            planner=settings.model if settings.uses_openai else "offline",
            database="PostgreSQL" if settings.database.startswith("postgres") else settings.database,
            address=f"http://{host}:{settings.port}",
            sign_in=_sign_in(settings, printed),
        )
    )
    typer.echo("Ready.")


def _sign_in(settings: Settings, printed: Mapping[str, str]) -> str:
    told = SIGN_IN[settings.auth].format(issuer=settings.oidc_issuer)
    return told + "".join(
        f'\n  {email:<20} {{"Authorization": "Bearer {secret}"}}' for email, secret in printed.items()
    )


def _warm_up() -> None:
    """Import the Agents SDK beside the open port: it takes a second that no request should wait for."""
    from windtunnel.planning import warm_up

    threading.Thread(target=warm_up, name="warm-up", daemon=True).start()
