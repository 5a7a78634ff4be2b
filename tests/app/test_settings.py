"""Settings: the embedded defaults, and one sentence for each bad value."""

import base64
import os
from datetime import timedelta
from pathlib import Path

import pytest

from app.settings import SettingsError, load_settings
from app.wiring.keys import vault_of
from windtunnel.vault.sealing import UnsealError


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("WINDTUNNEL_", "OPENAI_")):
            monkeypatch.delenv(name)


def test_the_defaults_need_no_server_and_no_key() -> None:
    settings = load_settings()
    assert settings.database == "sqlite:///.windtunnel/windtunnel.db"
    assert settings.redis_url is None
    assert not settings.uses_openai
    assert (settings.host, settings.port) == ("127.0.0.1", 8000)


def test_a_key_selects_the_model_endpoint_unless_offline_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "secret-key")
    assert load_settings().uses_openai
    assert not load_settings(planner="offline").uses_openai
    assert "secret-key" not in repr(load_settings())


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("WINDTUNNEL_PORT", "abc", "0 to 65535"),
        ("WINDTUNNEL_PORT", "70000", "0 to 65535"),
        ("WINDTUNNEL_AUTH", "none", "'dev', 'token' or 'oidc'"),
        ("WINDTUNNEL_OIDC_ISSUER", "http://login.example", "https://HOST/PATH"),
        ("WINDTUNNEL_OIDC_ISSUER", "http://localhost.example", "https://HOST/PATH"),
        ("WINDTUNNEL_OIDC_ISSUER", "https://login.example/?a", "https://HOST/PATH"),
        ("WINDTUNNEL_DATABASE_URL", "mysql://x", "sqlite:///PATH"),
        ("WINDTUNNEL_REDIS_URL", "http://x", "redis://"),
        ("WINDTUNNEL_DASK_SCHEDULER", "scheduler:8786", "tcp://HOST:PORT"),
        ("WINDTUNNEL_SERVER", "ftp://x", "http://HOST:PORT or https://HOST"),
        ("WINDTUNNEL_PLANNER", "magic", "'offline' or 'openai'"),
        ("WINDTUNNEL_MAX_QUEUED", "0", "at least 1"),
        ("WINDTUNNEL_GRAPHIQL", "maybe", "'on' or 'off'"),
        ("WINDTUNNEL_WARM_UP", "maybe", "'on' or 'off'"),
        ("WINDTUNNEL_RATE_LIMIT", "0", "1 to 1000000000, or off"),
        ("WINDTUNNEL_RATE_LIMIT", "much", "1 to 1000000000, or off"),
        ("WINDTUNNEL_MAX_SOCKETS", "-1", "at least 1, or off"),
        ("WINDTUNNEL_DOCUMENTS", "some", "'off', 'allow' or 'only'"),
        ("WINDTUNNEL_CLOCK_OFFSET", "soon", "ISO 8601"),
        ("WINDTUNNEL_LOG_LEVEL", "loud", "'debug'"),
        ("WINDTUNNEL_ALLOWED_ORIGINS", "foo", "https://app.example.org"),
        ("WINDTUNNEL_TRUSTED_PROXIES", "*", "addresses and networks"),
        ("WINDTUNNEL_TRUSTED_PROXIES", "10.1.2.3/8", "addresses and networks"),
        ("WINDTUNNEL_TRUSTED_PROXIES", "127.0.0.1, proxy.example", "addresses and networks"),
        ("WINDTUNNEL_WEBHOOK_ALLOW", "10.1.2.3/8", "networks like 10.1.0.0/16 and host names"),
        ("WINDTUNNEL_WEBHOOK_ALLOW", "http://receiver", "networks like 10.1.0.0/16 and host names"),
    ],
)
def test_a_bad_value_is_one_sentence_with_name_value_and_what_is_allowed(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, allowed: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as refused:
        load_settings()
    sentence = str(refused.value)
    assert sentence.startswith(f"{name}={value!r} is refused")
    assert allowed in sentence
    assert "\n" not in sentence


def test_dev_sign_in_listens_on_loopback_only() -> None:
    with pytest.raises(SettingsError, match=r"0\.0\.0\.0.*loopback"):
        load_settings(host="0.0.0.0")


def test_an_openid_provider_is_named_in_full() -> None:
    for given in ({}, {"oidc_issuer": "https://login.example"}, {"oidc_audience": "windtunnel"}):
        with pytest.raises(SettingsError, match="needs WINDTUNNEL_OIDC_ISSUER and WINDTUNNEL_OIDC_AUDIENCE"):
            load_settings(auth="oidc", **given)
    settings = load_settings(auth="oidc", host="0.0.0.0", oidc_issuer="https://login.example/a", oidc_audience="w")
    assert (settings.oidc_issuer, settings.oidc_audience) == ("https://login.example/a", "w")
    assert load_settings(auth="token", host="0.0.0.0").auth == "token"


def test_a_shifted_clock_needs_the_test_switch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WINDTUNNEL_CLOCK_OFFSET", "PT25H")
    with pytest.raises(SettingsError, match="WINDTUNNEL_TEST_CLOCK=1"):
        load_settings()
    monkeypatch.setenv("WINDTUNNEL_TEST_CLOCK", "1")
    assert load_settings().clock_offset == timedelta(hours=25)


def test_limits_have_defaults_except_in_dev_and_a_set_one_counts_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (load_settings().points_per_minute, load_settings().sockets_per_viewer) == (None, None)
    assert load_settings(auth="token").points_per_minute == 60_000
    assert load_settings(auth="token").sockets_per_viewer == 100
    for auth in ("dev", "token"):
        monkeypatch.setenv("WINDTUNNEL_RATE_LIMIT", "70")
        monkeypatch.setenv("WINDTUNNEL_MAX_SOCKETS", "3")
        settings = load_settings(auth=auth)
        assert (settings.points_per_minute, settings.sockets_per_viewer) == (70, 3)
        monkeypatch.setenv("WINDTUNNEL_RATE_LIMIT", "off")
        monkeypatch.setenv("WINDTUNNEL_MAX_SOCKETS", "off")
        settings = load_settings(auth=auth)
        assert (settings.points_per_minute, settings.sockets_per_viewer) == (None, None)


def test_only_known_documents_need_a_manifest_and_no_page_to_write_others(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="WINDTUNNEL_DOCUMENT_MANIFEST"):
        load_settings(documents="only")
    settings = load_settings(documents="only", document_manifest=tmp_path / "manifest.json")
    assert not settings.shows_graphiql
    assert load_settings().shows_graphiql
    assert not load_settings(graphiql="off").shows_graphiql


def test_openai_without_a_key_is_refused() -> None:
    with pytest.raises(SettingsError, match="OPENAI_API_KEY"):
        load_settings(planner="openai")


def test_keys_for_secrets_are_read_and_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = [base64.b64encode(bytes([number] * 32)).decode() for number in (1, 2)]
    monkeypatch.setenv("WINDTUNNEL_SECRETS_KEY", ", ".join(keys))
    settings = load_settings()
    assert settings.secrets_key == keys
    assert keys[0] not in repr(settings)
    monkeypatch.setenv("WINDTUNNEL_SECRETS_KEY", "hunter2")
    with pytest.raises(SettingsError) as refused:
        load_settings()
    assert str(refused.value) == (
        "WINDTUNNEL_SECRETS_KEY=*** is refused; allowed: 32 bytes in base64; several, the newest first, are separated "
        "by commas."
    )


def test_the_key_of_the_settings_comes_before_the_key_file(tmp_path: Path) -> None:
    key = base64.b64encode(bytes(32)).decode()
    given, made = load_settings(secrets_key=[key], data_dir=tmp_path), load_settings(data_dir=tmp_path)
    sealed = vault_of(given).seal("secret", ["here"])
    assert not (tmp_path / "keys").exists()
    with pytest.raises(UnsealError):
        vault_of(made).unseal(sealed, ["here"])
    assert vault_of(made).unseal(vault_of(made).seal("secret", ["here"]), ["here"]) == "secret"
    (tmp_path / "keys" / "secrets.key").write_text("nonsense")
    with pytest.raises(SettingsError, match="is refused"):
        vault_of(made)


def test_an_operator_allows_receivers_of_the_inner_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WINDTUNNEL_WEBHOOK_ALLOW", " 10.1.0.0/16, receiver ,")
    assert load_settings().webhook_allow == ["10.1.0.0/16", "receiver"]


def test_a_token_for_the_metrics_is_long_and_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WINDTUNNEL_METRICS_TOKEN", "0123456789abcdef")
    assert load_settings().metrics_token == "0123456789abcdef"
    assert "0123456789abcdef" not in repr(load_settings())
    monkeypatch.setenv("WINDTUNNEL_METRICS_TOKEN", "easy")
    with pytest.raises(SettingsError) as refused:
        load_settings()
    assert str(refused.value).startswith("WINDTUNNEL_METRICS_TOKEN=*** is refused; allowed: at least 16 characters")
