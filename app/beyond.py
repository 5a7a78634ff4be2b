"""What lies beyond the sandboxes of environments, and is to be tried from inside: production's files and servers."""

import tempfile
from pathlib import Path
from urllib.parse import urlsplit

from app.settings import Settings
from windtunnel.sandbox.probing import Targets

_PORTS = {"postgres": 5432, "postgresql": 5432, "redis": 6379, "rediss": 6379}
_ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - to be reached, not bound


def beyond(settings: Settings) -> Targets:
    """The real things that code must not get at, as the settings have them."""
    data = settings.data_dir.absolute()
    files = [data / "keys", data / "audit", data / "packages"]
    if settings.database.startswith("sqlite:"):
        files.append(Path(settings.database.removeprefix("sqlite:///")).absolute())
    urls = (settings.database, settings.owner_database_url, settings.worker_database_url, settings.redis_url)
    return Targets(
        production=tuple(files),
        outside=(data, Path(tempfile.gettempdir())),
        api=((_ANY_ADDRESS.get(settings.host, settings.host), settings.port),) if settings.port else (),
        addresses=tuple(dict.fromkeys(address for url in urls if url for address in _addresses(url))),
    )


def _addresses(url: str) -> list[tuple[str, int]]:
    """The hosts of a URL with their ports; none of what is no network address."""
    parts = urlsplit(url)
    usual = _PORTS.get(parts.scheme)
    if usual is None:
        return []
    found = []
    for place in parts.netloc.rpartition("@")[2].split(","):
        one = urlsplit(f"//{place}")
        if one.hostname and not one.hostname.startswith("/"):
            found.append((one.hostname, one.port or usual))
    return found
