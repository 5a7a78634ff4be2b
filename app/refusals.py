"""What is said of settings that cannot be used: one sentence each, with no password in it."""

import difflib
import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any

PREFIX = "WINDTUNNEL_"
OF_THE_BUILD = frozenset({"WINDTUNNEL_SKIP_GRAPHIQL"})

_SECRET_NAME = re.compile(r"KEY|SECRET|TOKEN|PASSWORD|HEADERS", re.IGNORECASE)
_SECRET_PARTS = (
    (re.compile(r"^([a-z][a-z0-9+.-]*:?/+)?.*@", re.IGNORECASE | re.DOTALL), r"\1***@"),
    (re.compile(r"((?:pass\w*|pwd|secret|token|key)\s*=\s*)[^\s&;,]+", re.IGNORECASE), r"\1***"),
)

# What Kubernetes and Docker tell of a service called windtunnel-something beside us; nobody has written it by hand.
_OF_A_SERVICE = re.compile(r"\w+_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_\d+_(TCP|UDP)(_\w+)?)")
_ADDRESS_OF_A_SERVICE = re.compile(r"(tcp|udp)://\S+")

_ALLOWED = {
    "port": "a number from 0 to 65535",
    "max_queued": "a whole number of at least 1",
    "rate_limit": "points a minute as a whole number from 1 to 1000000000, or off",
    "max_sockets": "a whole number of at least 1, or off",
    "worker_concurrency": "a whole number from 1 to 1000",
    "webhook_allow": "networks like 10.1.0.0/16 and host names, separated by commas",
    "trusted_proxies": "addresses and networks of proxies, like 10.1.0.7 or 10.1.0.0/16, separated by commas",
    "secrets_key": "32 bytes in base64; several, the newest first, are separated by commas",
    "metrics_token": "at least 16 characters that nobody can guess",
    "clock_offset": "an ISO 8601 duration such as PT25H",
}

_OPTIONS = {"dask_scheduler": "scheduler"}
"""Options that have another name than their setting."""


def shown(name: str, value: object) -> str:
    """The value of a setting as a person may see it: nothing of a key, no user and no password of a URL."""
    if _SECRET_NAME.search(name):
        return "***"
    text = value if isinstance(value, str) else str(value)
    for pattern, replacement in _SECRET_PARTS:
        text = pattern.sub(replacement, text)
    return repr(text)


def server_of(url: str) -> str:
    """Host, port and database of a server's URL: nothing of who signs in there."""
    return url.partition("://")[2].rpartition("@")[2].partition("?")[0]


def refused(problem: Any, environment: Mapping[str, str], options: Collection[str]) -> str:
    """Name, value and what is allowed, for the first of pydantic's errors; `options` came from the command line."""
    field = str(problem["loc"][0]) if problem["loc"] else ""
    name = field if field.isupper() else f"{PREFIX}{field.upper()}"
    if field in options:
        said = f"--{_OPTIONS.get(field, field).replace('_', '-')} {shown(name, problem.get('input'))}"
    else:
        said = f"{name}={shown(name, environment.get(name, problem.get('input')))}"
    return f"{said} is refused; allowed: {_allowed(field, problem)}."


def unknown(environment: Mapping[str, str], known: Iterable[str]) -> str | None:
    """Of a variable that is called like ours and is none; None when there is no such one."""
    names = {*known, *OF_THE_BUILD}
    endings = sorted(name.removeprefix(PREFIX) for name in names)
    for name in sorted(environment):
        ours = name.upper().startswith(PREFIX) and name.upper() not in names
        if not ours or _OF_A_SERVICE.fullmatch(name) or _ADDRESS_OF_A_SERVICE.fullmatch(environment[name]):
            continue
        if near := difflib.get_close_matches(name.upper().removeprefix(PREFIX), endings, 1):
            return f"There is no {name}; did you mean {PREFIX}{near[0]}?"
        return f"There is no {name}; docs/operating.md lists the settings that there are."
    return None


def _allowed(field: str, problem: Any) -> str:
    context = problem.get("ctx", {})
    return _ALLOWED.get(field) or str(context.get("expected") or context.get("error") or problem["msg"])
