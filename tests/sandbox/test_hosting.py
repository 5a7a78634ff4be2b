"""Processes that stay: what they answer, what becomes of them, and that nothing is left."""

import asyncio
import json
import os
import signal
from pathlib import Path

import pytest

from tests.packages.world import FILES, manifest
from tests.sandbox.house import sandbox
from windtunnel.domain.isolation import Isolation
from windtunnel.sandbox.hosting import Host, HostError, start_host

REF = "triage.main:run"


def _package(directory: Path, **code: str) -> Path:
    directory.mkdir(mode=0o755)
    files = FILES | {path.replace("__", "/") + ".py": text.encode() for path, text in code.items()}
    for path, content in files.items():
        (directory / path).parent.mkdir(exist_ok=True)
        (directory / path).write_bytes(content)
    (directory / "agent.json").write_text(json.dumps(manifest(files)))
    return directory


def _host(tmp_path: Path, isolation: Isolation, ref: str = REF, **code: str) -> Host:
    package = _package(tmp_path / "package", **code)
    return start_host(sandbox(tmp_path / "box", isolation, package), package, ref)


async def test_a_host_loads_stays_and_answers(tmp_path: Path, watched: Isolation) -> None:
    host = _host(tmp_path, watched, triage__main="print('hello')\ndef run(input): return {}")
    try:
        for given in ("a", {"b": [1, "☂"]}, None):
            assert (await host.ask("echo", given, within_s=30))["echo"] == given
        described = await host.ask("describe", within_s=30)
        assert (described["name"], described["version"]) == ("acme/triage", "1.0.0")
        assert described["card"] == {
            "name": "acme/triage",
            "version": "1.0.0",
            "description": "Sorts incoming tickets by urgency.",
        }
        assert (await host.ask("health", within_s=30))["ok"] is True
        assert host.alive
    finally:
        await host.stop()
    assert not host.alive
    with pytest.raises(HostError, match="It was ended"):
        await host.ask("health", within_s=30)


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("import no_such_thing", "No module named 'no_such_thing'"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("run = 1", "cannot be called"),
        ("import os; os._exit(7)", "It ended with exit status 7"),
        ("import os, sys; sys.stderr.write('why'); os.abort()", "It was ended by signal 6"),
        ("import os\nfor n in range(3, 9):\n  try: os.write(n, b'x' * 500_000 + b'\\n')\n  except OSError: pass", "It"),
        ("x = bytearray(1 << 30)", "MemoryError"),
    ],
)
async def test_what_does_not_work_says_why(tmp_path: Path, best: Isolation, code: str, said: str) -> None:
    host = _host(tmp_path, best, triage__main=code)
    with pytest.raises(HostError, match=said):
        await host.ask("health", within_s=30)
    await host.stop()


async def test_a_host_that_hangs_is_not_waited_for(tmp_path: Path, best: Isolation) -> None:
    host = _host(tmp_path, best, triage__main="import signal\nsignal.pause()")
    with pytest.raises(HostError, match="does not answer"):
        await host.ask("health", within_s=0.3)
    assert host.alive
    await host.stop()
    assert not host.alive


async def test_the_end_of_a_host_is_told(tmp_path: Path, best: Isolation) -> None:
    package = _package(tmp_path / "package")
    box = sandbox(tmp_path / "box", best, package)
    ended = []
    host = start_host(box, package, REF, lambda: ended.append(True))
    await host.ask("health", within_s=30)
    for pid in box.remaining():
        os.kill(pid, signal.SIGKILL)
    await asyncio.wait([host._run])
    with pytest.raises(HostError, match=r"It was ended (from outside|by signal 9)"):
        await host.ask("health", within_s=30)
    await host.stop()
    assert ended == [True]
    assert box.remaining() == ()


async def test_nothing_is_loaded_without_a_reference(tmp_path: Path, best: Isolation) -> None:
    host = _host(tmp_path, best, "", triage__main="raise RuntimeError")
    assert (await host.ask("health", within_s=30))["ok"] is True
    await host.stop()
