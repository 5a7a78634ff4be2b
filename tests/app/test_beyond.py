"""What is tried from inside of environments: the real files and servers of this installation."""

from pathlib import Path
from typing import Any

import pytest

from app.beyond import beyond
from app.settings import Settings, load_settings


def settings(tmp_path: Path, **given: Any) -> Settings:
    return load_settings(data_dir=tmp_path, **given)


def test_embedded_there_are_the_files_of_production_and_the_api(tmp_path: Path) -> None:
    found = beyond(settings(tmp_path, port=8123))
    assert set(found.production) == {tmp_path / name for name in ("keys", "audit", "packages", "windtunnel.db")}
    assert tmp_path in found.outside
    assert found.api == (("127.0.0.1", 8123),)
    assert found.addresses == ()


@pytest.mark.parametrize(
    ("urls", "addresses"),
    [
        (
            {"database_url": "postgres://u:p@db.example.org/w", "redis_url": "rediss://:s@cache.example.org:6380/1"},
            (("db.example.org", 5432), ("cache.example.org", 6380)),
        ),
        (
            {
                "database_url": "postgresql://u@a.example.org:1,b.example.org/w",
                "owner_database_url": "postgres://o@a.example.org:1/w",
            },
            (("a.example.org", 1), ("b.example.org", 5432)),
        ),
        ({"database_url": "postgres://u@[::1]:7/w", "redis_url": "unix:///run/redis.sock"}, (("::1", 7),)),
    ],
)
def test_elsewhere_there_are_servers(
    tmp_path: Path, urls: dict[str, str], addresses: tuple[tuple[str, int], ...]
) -> None:
    found = beyond(settings(tmp_path, **urls))
    assert found.addresses == addresses
    assert tmp_path / "windtunnel.db" not in found.production


def test_a_port_that_nobody_knows_yet_and_relative_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = beyond(load_settings(port=0, data_dir=Path("here")))
    assert found.api == ()
    assert all(path.is_absolute() for path in (*found.production, *found.outside))


def test_what_listens_everywhere_is_reached_here(tmp_path: Path) -> None:
    assert beyond(settings(tmp_path, host="0.0.0.0", auth="token")).api == (("127.0.0.1", 8000),)
