"""Files that are written by hand for `windtunnel experiment`: what is read, and what is refused in one sentence."""

import json
from pathlib import Path

import pytest

from app.commands.json_input import read_json
from app.commands.scenario_input import InputError
from tests.app.test_experiment_command import NETWORK, SMALL, run


def test_a_byte_order_mark_is_no_part_of_it(tmp_path: Path) -> None:
    path = tmp_path / "network.json"
    path.write_text(json.dumps(NETWORK), "utf-8-sig")
    assert json.loads(read_json(path)) == NETWORK


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"[" * 100_000, "is nested too deeply"),
        (b'{"nodes":' * 50_000, "is nested too deeply"),
        (json.dumps(NETWORK).encode("utf-16"), "is UTF-16. Save it as UTF-8"),
        (b'{"nodes": {"a": {"cv": 1}, "a": {"cv": 2}}}', "has the key 'a' twice in one object"),
    ],
)
def test_what_would_not_mean_what_it_seems_to_is_refused(tmp_path: Path, data: bytes, said: str) -> None:
    path = tmp_path / "it.json"
    path.write_bytes(data)
    with pytest.raises(InputError, match=said):
        read_json(path)


def test_no_file_has_a_way_into_the_terminal(tmp_path: Path) -> None:
    path = tmp_path / "network.json"
    path.write_text(json.dumps({**NETWORK, "\x1b]0;owned\x07\x9b2J\u202e" + "x" * 10_000: 1}))
    refused = run("--network", str(path), *SMALL)
    assert refused.exit_code == 2
    assert refused.stderr.rstrip("\n").isprintable()
    assert len(refused.stderr) < 500
    path.write_text(json.dumps({"nodes": [{"key": "a\x9b", "service": {"mean_ms": 1}}], "entry": ["a\x9b"]}))
    assert "must be text without control characters" in run("--network", str(path), *SMALL).stderr
