"""The keys of approvals: workers open them, processes that only answer requests never do."""

from pathlib import Path

import pytest

from app.settings import SettingsError, load_settings
from app.wiring.runtime import open_runtime
from windtunnel.storage.store import DatabaseRole


async def test_who_only_answers_has_no_keys(postgres_database_url: str, tmp_path: Path) -> None:
    settings = load_settings(data_dir=tmp_path, database_url=postgres_database_url)
    key = tmp_path / "keys" / "approvals.key"
    async with open_runtime(settings, DatabaseRole.API) as runtime:
        assert runtime.services.approvals is None
        assert not key.exists()
    for role in (DatabaseRole.WORKER, DatabaseRole.SERVER):
        async with open_runtime(settings, role) as runtime:
            assert runtime.services.approvals
            assert key.stat().st_mode & 0o777 == 0o600


async def test_a_key_that_cannot_be_used_is_refused(tmp_path: Path) -> None:
    key = tmp_path / "keys" / "approvals.key"
    key.parent.mkdir()
    key.write_text("nonsense")
    key.chmod(0o600)
    with pytest.raises(SettingsError, match=r"approvals\.key"):
        async with open_runtime(load_settings(data_dir=tmp_path), DatabaseRole.SERVER):
            pass
