"""What the checks of a package found, as JSON."""

from collections.abc import Iterable
from dataclasses import asdict

import orjson

from windtunnel.domain.failures import Severity
from windtunnel.domain.packages import PackageCheck
from windtunnel.storage.texts import cleaned_deeply


def checks_to_json(checks: Iterable[PackageCheck]) -> str:
    """As `checks_from_json` reads it."""
    return orjson.dumps([cleaned_deeply(asdict(check)) for check in checks]).decode()


def checks_from_json(text: str) -> tuple[PackageCheck, ...]:
    """The reverse of `checks_to_json`."""
    return tuple(PackageCheck(**{**each, "severity": Severity(each["severity"])}) for each in orjson.loads(text))
