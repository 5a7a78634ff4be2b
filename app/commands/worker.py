"""`windtunnel worker`: conduct simulations beside any number of API processes."""

import asyncio

from app.settings import load_settings


def worker() -> None:
    """Conduct simulations, and make and remove environments; run as many as you like on PostgreSQL and Redis."""
    settings = load_settings()

    from app.commands.working import work
    from app.logs import configure_logs

    configure_logs(settings.log_level)
    asyncio.run(work(settings))
