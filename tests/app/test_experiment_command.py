"""`windtunnel experiment`: what it prints, and how it ends."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from app.cli import cli

TEXT = "Customers write to support. Triage sends each mail to billing or technical; a manager approves refunds."
OFFLINE = {"WINDTUNNEL_PLANNER": "offline"}
NETWORK: dict[str, Any] = {
    "nodes": [
        {"key": "a", "service": {"dist": "exponential", "mean_ms": 100}},
        {"key": "b", "service": {"mean_ms": 50}, "failure_probability": 0.1, "max_attempts": 2},
    ],
    "links": [{"source": "a", "target": "b"}],
    "entry": ["a"],
}
SMALL = ("--replications", "10", "--tasks", "60", "--arrival-rate", "5", "--seed", "3")


@pytest.fixture
def network(tmp_path: Path) -> str:
    path = tmp_path / "network.json"
    path.write_text(json.dumps(NETWORK))
    return str(path)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["experiment", *arguments], env=OFFLINE)


def told(*arguments: str) -> dict[str, Any]:
    result = run(*arguments, "--json")
    assert (result.exit_code, result.stderr) == (0, "")
    answer: dict[str, Any] = json.loads(result.stdout)
    return answer


def test_json_is_one_object_with_intervals(network: str) -> None:
    answer = told("--network", network, *SMALL)
    assert (answer["seed"], answer["replications"], answer["tasks"]) == (3, 10, 60)
    assert answer["elapsed_s"] > 0
    for estimate in (answer["throughput_per_s"], answer["success_rate"], *answer["latency_ms"].values()):
        assert estimate["low"] <= estimate["mean"] <= estimate["high"]
    assert [node["key"] for node in answer["nodes"]] == ["a", "b"]
    assert answer["steps"] == sum(node["attempts"] for node in answer["nodes"])
    assert answer["analytic"]["success_rate"] == pytest.approx(0.99)
    assert {"p50", "p95", "p99", "mean"} == set(answer["latency_ms"])


def test_the_same_seed_gives_the_same_bytes(network: str) -> None:
    first, second = (told("--network", network, *SMALL) for _ in range(2))
    assert first.pop("elapsed_s")
    assert second.pop("elapsed_s")
    assert json.dumps(first) == json.dumps(second)


def test_a_variant_is_compared(network: str, tmp_path: Path) -> None:
    variant = tmp_path / "variant.json"
    variant.write_text(json.dumps({"nodes": {"b": {"max_attempts": 4}}}))
    answer = told("--network", network, *SMALL, "--variant", str(variant))
    assert answer["difference"]["success_rate"]["mean"] > 0
    assert answer["variant"]["success_rate"]["mean"] > answer["success_rate"]["mean"]
    other = tmp_path / "other.json"
    other.write_text(json.dumps({**NETWORK, "nodes": [NETWORK["nodes"][0], {**NETWORK["nodes"][1], "servers": 2}]}))
    answer = told("--network", network, *SMALL, "--variant", str(other))
    success = answer["difference"]["success_rate"]
    assert success["low"] <= 0 <= success["high"]
    assert answer["difference"]["latency_p95_ms"]["mean"] < 0


def test_words_are_planned_first() -> None:
    answer = told(TEXT, "--replications", "5", "--tasks", "20", "--arrival-rate", "0.01", "--seed", "1")
    assert len(answer["nodes"]) >= 3
    assert answer["failure_modes"]
    assert answer["tokens_per_task"]["mean"] > 0


def test_a_person_reads_names_and_not_keys() -> None:
    few = ("--replications", "5", "--tasks", "20", "--arrival-rate", "0.0001", "--seed", "1")
    said = " ".join(run(TEXT, *few).stdout.split())
    codes = {mode["code"] for mode in told(TEXT, *few)["failure_modes"]}
    assert not [code for code in codes if code in said]
    assert "Its chance is our estimate." in said
    assert "tasks done per hour" in said


def test_a_person_reads_tables(network: str) -> None:
    result = run("--network", network, *SMALL)
    assert (result.exit_code, result.stderr) == (0, "")
    for words in ("success", "95th percentile", "Load", "Single points of failure", "±"):
        assert words in result.stdout


BAD = [
    (("--replications", "0"), "replications"),
    (("--tasks", "100001"), "tasks"),
    (("--replications", "10000", "--tasks", "100000"), "50,000,000"),
    (("--arrival-rate", "0"), "arrival rate"),
    (("--seed", "99999999999"), "seed"),
    (("words",), "not both"),
    (("--variant", "nowhere.json"), "nowhere.json"),
]


@pytest.mark.parametrize(("arguments", "words"), BAD, ids=[words for _, words in BAD])
def test_bad_input_ends_with_one_line(network: str, arguments: tuple[str, ...], words: str) -> None:
    result = run("--network", network, *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.count("\n") == 1
    assert words in result.stderr


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"\xff", b'{"nodes": [], "entry": []}'])
def test_a_bad_file_ends_with_one_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bad.json"
    path.write_bytes(content)
    result = run("--network", str(path))
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.count("\n") == 1


def test_without_anything_it_says_what_to_give() -> None:
    result = run()
    assert result.exit_code == 2
    assert 'windtunnel experiment "TEXT"' in result.stderr


def test_of_two_files_the_one_that_is_refused_is_named(network: str, tmp_path: Path) -> None:
    path = tmp_path / "variant.json"
    path.write_text('{"nodes": {"b": {"servers": 2}}}')
    result = run("--network", network, "--variant", str(path))
    assert result.stderr.startswith(f"windtunnel: {path}: nodes.b.servers is not known: ")
