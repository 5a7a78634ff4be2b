"""`windtunnel serve`: the API, with the embedded worker unless told otherwise."""

import typer

from app.settings import load_settings


def serve(
    host: str | None = typer.Option(None, help="Address to listen on (default WINDTUNNEL_HOST, else 127.0.0.1)."),
    port: str | None = typer.Option(
        None, metavar="NUMBER", help="Port to listen on (default WINDTUNNEL_PORT, else 8000)."
    ),
    no_worker: bool = typer.Option(False, "--no-worker", help="Only answer; separate workers conduct simulations."),
) -> None:
    """Serve GraphQL, GraphiQL, REST and metrics."""
    settings = load_settings(host=host, port=port)

    import uvloop

    from app.commands.serving import serving
    from app.logs import configure_logs

    configure_logs(settings.log_level)
    uvloop.run(serving(settings, with_worker=not no_worker))
