"""Two servers on one SQLite file: the second one is refused, commands are not; kill -9 leaves nothing behind."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.children import free_port
from tests.processes import Api

REFUSED_S = 60


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("served") / "data"


@pytest.fixture(scope="module")
def first(directory: Path) -> Iterator[Api]:
    with Api({"WINDTUNNEL_DATA_DIR": str(directory)}) as api:
        yield api


def run(directory: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from app.cli import main; main()", *arguments],
        env={
            "PATH": "/usr/bin:/bin",
            "PYTHONPATH": ":".join(sys.path),
            "WINDTUNNEL_DATA_DIR": str(directory),
            **settings,
        },
        capture_output=True,
        text=True,
        timeout=REFUSED_S,
        check=False,
    )


def test_a_second_server_is_refused_in_one_line(first: Api, directory: Path) -> None:
    refused = run(directory, "serve", "--port", str(free_port()))
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr == (
        f"windtunnel: Another server uses {str(directory)!r} (process {first.pid}); stop it, or set "
        "WINDTUNNEL_DATA_DIR.\n"
    )


def test_by_the_url_of_the_same_file_too(first: Api, directory: Path) -> None:
    path = directory / "windtunnel.db"
    refused = run(directory, "serve", WINDTUNNEL_DATABASE_URL=f"sqlite:///{path}")
    assert refused.stderr == (
        f"windtunnel: Another server uses {str(path)!r} (process {first.pid}); stop it, or set "
        "WINDTUNNEL_DATABASE_URL.\n"
    )


@pytest.mark.usefixtures("first")
def test_commands_work_beside_a_server(directory: Path) -> None:
    made = run(directory, "token", "create", "--tenant", "acme", "--user", "ada@acme.example", "--role", "ADMIN")
    assert (made.returncode, made.stdout[:3]) == (0, "wt_")
    assert run(directory, "migrate").stdout == "The database is up to date.\n"
    verified = run(directory, "audit", "verify")
    assert (verified.returncode, verified.stdout[:15]) == (0, "acme: 2 entries")


def test_a_killed_server_leaves_nothing_that_stops_the_next_one(first: Api, directory: Path) -> None:
    first.restart()
    assert str(first.pid) in run(directory, "serve").stderr


def test_a_port_that_is_taken_is_one_line(first: Api, tmp_path: Path) -> None:
    refused = run(tmp_path, "serve", "--port", str(first.port))
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr == (
        f"windtunnel: Port {first.port} of 127.0.0.1 cannot be opened: another program listens there; stop it, or "
        "choose another with --port or WINDTUNNEL_PORT.\n"
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--port", "abc"), "--port 'abc' is refused; allowed: a number from 0 to 65535."),
        (
            ("--host", "nowhere.invalid", "--port", "0"),
            "WINDTUNNEL_HOST='nowhere.invalid' cannot be listened on: there is no host of this name.",
        ),
    ],
)
def test_what_cannot_be_listened_on_is_one_line(tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    refused = run(tmp_path, "serve", *arguments, WINDTUNNEL_AUTH="token")
    assert (refused.returncode, refused.stdout, refused.stderr) == (2, "", f"windtunnel: {said}\n")
