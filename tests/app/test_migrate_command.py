"""`windtunnel migrate` says what it did."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.cli import cli
from tests.databases import postgres_database
from windtunnel.storage.migrations import revisions


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
def test_what_was_applied_is_told_once(database: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    if database == "sqlite":
        _tells(f"sqlite:///{tmp_path / 'new.db'}")
    else:
        with postgres_database(request.getfixturevalue("postgres_url")) as url:
            _tells(url)


def _tells(url: str) -> None:
    first, second = (CliRunner().invoke(cli, ["migrate"], env={"WINDTUNNEL_DATABASE_URL": url}) for _ in range(2))
    assert first.output.startswith("Applied 0001_foundation, 0002_access")
    assert first.output.count("_") >= len(revisions())
    assert first.output.endswith(".\n")
    assert second.output == "The database is up to date.\n"
