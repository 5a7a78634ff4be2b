"""`windtunnel simulate --otlp`: to a collector, and into files."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from app.cli import cli
from app.commands.otlp import ToCollector
from tests.examples import support_triage
from tests.telemetry.collectors import collecting
from tests.telemetry.reading import read
from tests.telemetry.runs import about, told
from windtunnel.telemetry.collector import collector_of
from windtunnel.telemetry.export import exported

TEXT = "Customers write to support. Triage sends each mail to billing or technical; a manager approves refunds."
KEYS = ["resourceSpans", "resourceMetrics", "resourceLogs"]


def run(*arguments: str, **environment: str) -> Result:
    return CliRunner().invoke(
        cli, ["simulate", TEXT, "--seed", "7", *arguments], env={"WINDTUNNEL_PLANNER": "offline", **environment}
    )


def test_a_run_is_sent_to_a_collector() -> None:
    with collecting() as collector:
        result = run("--otlp", collector.url, OTEL_EXPORTER_OTLP_HEADERS="x-api-key=secret")
    assert (result.exit_code, result.stderr) == (0, "")
    sent = collector.traces[0].resource_spans[0]
    spans = sent.scope_spans[0].spans
    assert f"sent {len(spans)} spans, " in result.stdout
    assert result.stdout.endswith(f" log records to {collector.url}\n")
    assert collector.headers[0]["x-api-key"] == "secret"
    found = read(sent.resource.attributes)
    assert (found["windtunnel.simulated"], found["windtunnel.seed"]) == (True, 7)
    begun = min(span.start_time_unix_nano for span in spans)
    assert str(found["windtunnel.simulation.started_at"]).startswith("20")
    assert begun > 1_700_000_000 * 10**9


async def test_what_a_collector_says_has_no_way_into_the_terminal() -> None:
    with collecting() as collector:
        collector.rejects, collector.reason = 2, "\x1b]0;owned\x07too\nold\u202e"
        lines = await ToCollector(collector_of(collector.url)).deliver(exported(told(support_triage(), 3), about(3)))
    assert lines[1] == "it rejected 2 spans: ]0;owned too old"


def test_the_latest_conventions_are_opted_into() -> None:
    with collecting() as collector:
        for opt_in in ("", "gen_ai_latest_experimental"):
            assert run("--otlp", collector.url, OTEL_SEMCONV_STABILITY_OPT_IN=opt_in).exit_code == 0
    names = [
        {metric.name for metric in request.resource_metrics[0].scope_metrics[0].metrics}
        for request in collector.metrics
    ]
    assert names[0] == {"gen_ai.client.operation.duration", "gen_ai.client.token.usage"}
    assert names[1] - names[0] == {
        "gen_ai.workflow.duration", "gen_ai.invoke_agent.duration", "gen_ai.execute_tool.duration",
    }  # fmt: skip


def test_a_file_gets_all_signals_and_a_directory_a_file_for_each(tmp_path: Path) -> None:
    result = run("--otlp", str(tmp_path / "new" / "run.jsonl"))
    assert result.stdout.endswith(f"wrote {tmp_path / 'new' / 'run.jsonl'}\n")
    lines = (tmp_path / "new" / "run.jsonl").read_bytes().splitlines()
    assert [list(json.loads(line)) for line in lines] == [[key] for key in KEYS]
    assert run("--otlp", str(tmp_path / "otlp")).exit_code == 0
    files = {path.name: path.read_bytes().splitlines() for path in (tmp_path / "otlp").iterdir()}
    assert sorted(files) == ["logs.jsonl", "metrics.jsonl", "traces.jsonl"]
    assert list(json.loads(files["traces.jsonl"][0])) == ["resourceSpans"]
    assert all(len(lines) == 1 for lines in files.values())


def test_json_stays_one_object(tmp_path: Path) -> None:
    result = run("--json", "--otlp", str(tmp_path))
    assert json.loads(result.stdout)["seed"] == 7
    assert (tmp_path / "traces.jsonl").exists()


def test_a_collector_that_is_not_there_is_one_line_and_code_1_after_the_run_was_told() -> None:
    with collecting() as collector:
        collector.answers = [400]
        result = run("--otlp", collector.url)
    assert result.exit_code == 1
    assert "repeat this run" in result.stdout
    assert result.stderr == (
        f"windtunnel: The collector at {collector.url} did not take the traces: it answered 400.\n"
    )


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ("ftp://collector", "is no address of a collector"),
        ("http://", "is no address of a collector"),
        ("/dev/null/x.jsonl", "--otlp '/dev/null/x.jsonl' cannot be written to"),
        ("/dev/null/x", "--otlp '/dev/null/x' cannot be written to"),
        ("bad\0name.jsonl", "cannot be written to"),
    ],
)
def test_where_nothing_can_go_is_told_before_any_work(given: str, complaint: str) -> None:
    result = run("--otlp", given)
    assert (result.exit_code, result.stdout) == (2, "")
    assert complaint in result.stderr
    assert result.stderr.count("\n") == 1
