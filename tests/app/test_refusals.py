"""Refused settings: no password in the sentence, and no variable that is passed over."""

import pytest

from app.refusals import shown, unknown
from app.settings import Settings, SettingsError, load_settings

KNOWN = [f"WINDTUNNEL_{name.upper()}" for name in Settings.model_fields]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("mysql://ada:hunter2@db:5432/wind", "mysql://***@db:5432/wind"),
        ("postgres//ada:hunter2@db/wind", "postgres//***@db/wind"),
        ("postgres:/ada:hunter2@db/wind", "postgres:/***@db/wind"),
        ("mysql://ada:hun@ter2/,x@db/wind", "mysql://***@db/wind"),
        ("redis://:hunter2@db:6379/0", "redis://***@db:6379/0"),
        ("ada:hunter2@db", "***@db"),
        ("mysql://db/wind?user=ada&password=hunter2", "mysql://db/wind?user=ada&password=***"),
        ("host=db password=hunter2", "host=db password=***"),
        ("https://a.example, https://ada:hunter2@b.example", "https://***@b.example"),
        ("mysql://db:5432/wind", "mysql://db:5432/wind"),
    ],
)
def test_who_signs_in_and_how_is_not_shown(value: str, said: str) -> None:
    assert shown("WINDTUNNEL_DATABASE_URL", value) == repr(said)


@pytest.mark.parametrize("name", ["WINDTUNNEL_SECRETS_KEY", "OPENAI_API_KEY", "WINDTUNNEL_NEW_PASSWORD"])
def test_nothing_is_shown_of_a_key(name: str) -> None:
    assert shown(name, "hunter2") == "***"


@pytest.mark.parametrize(
    "name",
    [
        "WINDTUNNEL_DATABASE_URL",
        "WINDTUNNEL_OWNER_DATABASE_URL",
        "WINDTUNNEL_WORKER_DATABASE_URL",
        "WINDTUNNEL_REDIS_URL",
        "WINDTUNNEL_OIDC_ISSUER",
        "WINDTUNNEL_ALLOWED_ORIGINS",
        "WINDTUNNEL_WEBHOOK_ALLOW",
        "WINDTUNNEL_SECRETS_KEY",
    ],
)
@pytest.mark.parametrize("value", ["http://ada:hunter2@db:1234/?x", "postgres://ada:hunter2@db:port/x"])
def test_no_refusal_tells_a_password(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=f"^{name}=.* is refused; allowed: ") as refusal:
        load_settings()
    assert "hunter2" not in str(refusal.value)


def test_what_is_set_is_not_in_the_settings_own_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "https://ada:hunter2@model.example")
    settings = load_settings(database_url="postgres://ada:hunter2@db/x", redis_url="redis://:hunter2@db")
    assert "hunter2" not in repr(settings)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("WINDTUNNEL_AUHT", "There is no WINDTUNNEL_AUHT; did you mean WINDTUNNEL_AUTH?"),
        ("WINDTUNNEL_DATABSE_URL", "There is no WINDTUNNEL_DATABSE_URL; did you mean WINDTUNNEL_DATABASE_URL?"),
        ("windtunnel_prot", "There is no windtunnel_prot; did you mean WINDTUNNEL_PORT?"),
        ("WINDTUNNEL_", "There is no WINDTUNNEL_; docs/operating.md lists the settings that there are."),
        ("WINDTUNNEL_COFFEE", "There is no WINDTUNNEL_COFFEE; docs/operating.md lists the settings that there are."),
    ],
)
def test_a_variable_that_is_none_of_ours_stops_the_start(
    monkeypatch: pytest.MonkeyPatch, name: str, sentence: str
) -> None:
    monkeypatch.setenv(name, "token")
    with pytest.raises(SettingsError) as refusal:
        load_settings()
    assert str(refusal.value) == sentence


def test_what_others_set_is_passed_over() -> None:
    assert unknown({**dict.fromkeys(KNOWN, "x"), "OPENAI_ORG": "x", "PATH": "x"}, KNOWN) is None
    assert unknown({"WINDTUNNEL_SKIP_GRAPHIQL": "1", "windtunnel_auth": "token"}, KNOWN) is None
    of_kubernetes = {
        "WINDTUNNEL_REDIS_SERVICE_HOST": "10.0.0.1",
        "WINDTUNNEL_REDIS_SERVICE_PORT_MAIN": "6379",
        "WINDTUNNEL_REDIS_PORT": "tcp://10.0.0.1:6379",
        "WINDTUNNEL_REDIS_PORT_6379_TCP_ADDR": "10.0.0.1",
    }
    assert unknown(of_kubernetes, KNOWN) is None
    assert unknown({"WINDTUNNEL_REDIS_PORT": "6379"}, KNOWN)


@pytest.mark.parametrize("port", ["abc", 99999])
def test_an_option_is_called_an_option(monkeypatch: pytest.MonkeyPatch, port: object) -> None:
    monkeypatch.setenv("WINDTUNNEL_PORT", "8000")
    with pytest.raises(SettingsError) as refusal:
        load_settings(port=port)
    assert str(refusal.value) == f"--port '{port}' is refused; allowed: a number from 0 to 65535."
