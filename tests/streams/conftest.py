"""What tests of streams may ask for."""

import pytest

from windtunnel.streams import channel


@pytest.fixture
def no_poll(monkeypatch: pytest.MonkeyPatch) -> None:
    """Followers live off the bus alone, and off what it says may be lost."""
    monkeypatch.setattr(channel, "POLL_S", 3_600.0)
    monkeypatch.setattr(channel, "POLL_WHILE_DOWN_S", 3_600.0)
