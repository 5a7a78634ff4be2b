"""`windtunnel calibrate`: traces and an architecture in, numbers and a calibrated architecture out."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from app.cli import cli
from tests.examples import pipeline
from tests.telemetry.runs import about, told
from tests.telemetry.spans import called, lines, otlp
from windtunnel.domain.architectures import architecture_from_json, canonical_json
from windtunnel.domain.simulations import FailureInjection
from windtunnel.telemetry.export import Kind, exported


def run(*arguments: str, stdin: bytes = b"") -> Result:
    return CliRunner().invoke(cli, ["calibrate", *arguments], input=stdin)


@pytest.fixture
def architecture(tmp_path: Path) -> str:
    path = tmp_path / "architecture.json"
    path.write_bytes(canonical_json(pipeline()))
    return str(path)


@pytest.fixture(scope="module")
def recorded() -> bytes:
    runs = [told(pipeline(), seed, FailureInjection.NONE) for seed in range(20)]
    return b"".join(exported(events, about(seed)).line(Kind.TRACES) for seed, events in enumerate(runs))


def test_a_table_says_what_was_fitted_and_how_well(tmp_path: Path, architecture: str, recorded: bytes) -> None:
    traces = tmp_path / "traces.jsonl"
    traces.write_bytes(recorded)
    out = tmp_path / "calibrated.json"
    result = run(str(traces), "-a", architecture, "-o", str(out))
    assert (result.exit_code, result.stderr) == (0, "")
    extract = next(line for line in result.stdout.splitlines() if line.startswith("Extract "))
    assert "lognormal" in extract
    assert " 60 " in extract
    assert "0 of 60" in extract
    assert "60 traces were read" in result.stdout
    assert result.stdout.endswith(f"wrote {out}\n")
    found = architecture_from_json(out.read_bytes())
    assert {each.key for each in found.calibrations} == {
        "extract", "check", "load", "tool_document_parser", "tool_erp",
    }  # fmt: skip
    assert all("in traces.jsonl, sha256 " in each.source for each in found.calibrations)
    assert all("2026-01-02" in each.source for each in found.calibrations)
    assert found.agents[0].service != pipeline().agents[0].service


def test_json_is_one_object(architecture: str, recorded: bytes) -> None:
    result = run("-", "--architecture", architecture, "--json", stdin=recorded)
    told = json.loads(result.stdout)
    assert told["spans"]["traces"] == 60
    findings = {each["key"]: each for each in told["findings"]}
    assert findings["check"]["latency"]["samples"] == 60
    assert findings["check"]["latency"]["ksDistance"] < 0.2
    assert findings["check"]["failures"] == {
        "attempts": 60, "failures": 0, "probability": 0.0, "low": 0.0, "high": pytest.approx(0.0602, abs=1e-4),
    }  # fmt: skip
    assert told["changes"]


def test_names_of_the_traces_are_matched_to_keys(architecture: str) -> None:
    spans = lines(otlp([called("lookup", ms=10 + number) for number in range(30)]))
    refused = run("-", "-a", architecture, stdin=spans)
    assert refused.exit_code == 2
    assert "they are of 'execute_tool lookup'" in refused.stderr
    matched = run("-", "-a", architecture, "--match", "lookup=tool_erp", "--json", stdin=spans)
    assert matched.exit_code == 0
    assert json.loads(matched.stdout)["spans"]["matched"] == 30


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["no/such/file", "-a", "{}"], "cannot be read: no such file"),
        (["-", "-a", "no/such/file"], "'no/such/file' cannot be read"),
        (["-", "-a", "."], "cannot be read: is a directory"),
        (["-", "-a", "{}", "--match", "lookup"], "allowed: NAME=KEY"),
        (["-", "-a", "{}", "--match", "a=b"], "no agent or tool with this key"),
        (["-", "-a", "{}"], "cannot be read at the beginning: there is nothing"),
    ],
)
def test_bad_input_is_one_clear_line_and_code_2(arguments: list[str], complaint: str, architecture: str) -> None:
    result = run(*[architecture if each == "{}" else each for each in arguments])
    assert (result.exit_code, result.stdout) == (2, "")
    assert complaint in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"agents": []}', b"\xff\xff"])
def test_what_is_no_architecture_is_told_so(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "architecture.json"
    path.write_bytes(content)
    result = run("-", "-a", str(path))
    assert result.exit_code == 2
    assert "is no architecture; `simulate --out` writes one" in result.stderr


def test_an_architecture_that_is_not_valid_is_told_so(tmp_path: Path) -> None:
    path = tmp_path / "architecture.json"
    drawn = json.loads(canonical_json(pipeline()))
    drawn["entryPoints"] = ["nobody"]
    path.write_text(json.dumps(drawn), "utf-8")
    assert "is not valid: " in run("-", "-a", str(path)).stderr
