"""What people read of a run: its last lines, short, without the host's paths and without secrets."""

from pathlib import Path

import pytest

from tests.sandbox.house import package, sandbox
from windtunnel.domain.isolation import Isolation
from windtunnel.sandbox.calling import check_health
from windtunnel.sandbox.telling import LINE_MAX_CHARS, cleaned

SICK = """
import sys
for number in range(9):
    print("looked at", number)
print("model.bin is missing")
sys.stderr.write(f"at {__file__}\\n\\nno model" + "!" * 500)
sys.exit(3)
"""


async def test_the_last_lines_of_both_streams_are_told(tmp_path: Path, isolation: Isolation) -> None:
    given = package(tmp_path / "given", sick=SICK)
    box = sandbox(tmp_path / "environment", isolation, given)
    sick = await check_health(box, given, ["python", "sick.py"], timeout_s=30)
    cut = f"no model{'!' * (LINE_MAX_CHARS - 9)}…"
    assert sick.message == (
        "It ended with exit status 3. The last that it wrote: "
        f'"looked at 7 / looked at 8 / model.bin is missing / at sick.py / {cut}".'
    )


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("password=hunter2!", "password=[hidden]"),
        ("Authorization: Bearer abcdef", "Authorization: [hidden]"),
        ('{"api_key": "0123456789"}', '{"api_key": [hidden]'),
        ("postgres://me:mine@db/x is down", "postgres://[hidden]@db/x is down"),
        ("no access for ghp_0123456789abcdef", "no access for [hidden]"),
        ("secret_key not found: look at https://docs.test/x:y", "secret_key not found: look at https://docs.test/x:y"),
        ("KeyError: 'token'", "KeyError: 'token'"),
    ],
)
def test_secrets_are_not_told(tmp_path: Path, isolation: Isolation, written: str, told: str) -> None:
    assert cleaned(written, sandbox(tmp_path / "environment", isolation)) == told
