"""The receiver that docs/webhooks.md shows works as it says."""

import asyncio
import re
import threading
from datetime import UTC, datetime, timedelta
from http.server import HTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.delivery.receivers import LOOPBACK, courier
from windtunnel.delivery.signing import new_secret, signed_headers
from windtunnel.domain.notifications import NotificationKind
from windtunnel.domain.webhooks import message

DOCUMENT = Path(__file__).parents[2] / "docs" / "webhooks.md"


async def test_the_documented_receiver_verifies_and_forgets_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text("utf-8"), re.DOTALL)
    names: dict[str, Any] = {"__name__": "example"}
    exec(example, names)
    names["Receiver"].log_message = lambda *_: None
    secret = names["SECRET"] = new_secret()
    now = datetime.now(UTC)
    body = message(NotificationKind.SIMULATION_FINISHED, now, {"title": "Done."})
    genuine = signed_headers(secret, "1", now, body)
    later = signed_headers(secret, "1", now + timedelta(seconds=1), body)
    old = signed_headers(secret, "2", now - timedelta(minutes=6), body)
    forged = signed_headers(new_secret(), "3", now, body)
    with HTTPServer((LOOPBACK, 0), names["Receiver"]) as server:
        serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        serving.start()
        sent = courier(LOOPBACK)
        url = f"http://{LOOPBACK}:{server.server_port}/"
        answers = [await sent.post(url, headers, body.encode()) for headers in (genuine, genuine, later, old, forged)]
        changed = await sent.post(url, genuine, body.replace("Done", "Gone").encode())
        await asyncio.to_thread(server.shutdown)
        serving.join()
    assert [answer.status for answer in answers] == [204, 204, 204, 400, 400]
    assert changed.status == 400
    assert capsys.readouterr().out == "SIMULATION_FINISHED Done.\n"
