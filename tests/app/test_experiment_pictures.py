"""`windtunnel experiment --out`, its tables and its plot, in a terminal of 80 columns."""

import json
import shlex
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner, Result

from app.cli import cli
from app.terminal.experiments import show
from app.terminal.plots import HIGH, WIDE, latency_plot
from tests.app.test_experiment_command import NETWORK, OFFLINE, SMALL, TEXT
from tests.drawing.studied import result, studied
from tests.examples import support_triage
from windtunnel.domain.experiments import Estimate, ExperimentDifference, LatencyBin
from windtunnel.drawing.markup import SVG_NAMESPACE

VARIANT = {"nodes": {"b": {"max_attempts": 4, "concurrency": 3}}}


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "network.json").write_text(json.dumps(NETWORK))
    (tmp_path / "variant.json").write_text(json.dumps(VARIANT))
    return tmp_path


def run(*arguments: str) -> Result:
    done = CliRunner().invoke(cli, ["experiment", *arguments], env=OFFLINE)
    assert (done.exit_code, done.stderr) == (0, "")
    return done


def test_out_writes_the_report_the_result_and_the_picture(files: Path) -> None:
    given = ("--network", str(files / "network.json"), "--variant", str(files / "variant.json"), *SMALL)
    done = run(*given, "--out", str(files / "one"))
    assert sorted(path.name for path in (files / "one").iterdir()) == ["network.svg", "report.html", "result.json"]
    assert "report.html" in done.stdout
    report = (files / "one" / "report.html").read_text("utf-8")
    assert "b: max attempts 4, concurrency 3" in report
    assert "What the variant changes" in report
    assert SVG_NAMESPACE in (files / "one" / "network.svg").read_text("utf-8")
    told = json.loads(run(*given, "--json").stdout)
    kept = json.loads((files / "one" / "result.json").read_text("utf-8"))
    assert {**kept, "elapsed_s": 0} == {**told, "elapsed_s": 0}


def test_the_command_in_the_report_repeats_it_to_the_byte(files: Path) -> None:
    run("--network", str(files / "network.json"), *SMALL, "--out", str(files / "one"))
    report = (files / "one" / "report.html").read_text("utf-8")
    command = report.partition("<pre><code>windtunnel experiment ")[2].partition("</code>")[0]
    run(*shlex.split(command), "--out", str(files / "two"))
    for name in ("report.html", "network.svg"):
        assert (files / "one" / name).read_bytes() == (files / "two" / name).read_bytes()


def test_words_become_a_report_with_their_agents(tmp_path: Path) -> None:
    few = ("--replications", "5", "--tasks", "20", "--arrival-rate", "0.01", "--seed", "1")
    run(TEXT, *few, "--out", str(tmp_path / "out"))
    report = (tmp_path / "out" / "report.html").read_text("utf-8")
    assert TEXT in report
    assert "Where the chance comes from" in report


def test_a_directory_that_cannot_be_written_is_told_first(files: Path) -> None:
    (files / "taken").write_text("")
    done = CliRunner().invoke(
        cli, ["experiment", "--network", str(files / "network.json"), *SMALL, "--out", str(files / "taken")]
    )
    assert (done.exit_code, done.stdout) == (2, "")
    assert "--out" in done.stderr


def test_everything_fits_into_eighty_columns() -> None:
    gap = ExperimentDifference(Estimate(0.02, 0.01, 0.03), Estimate(-4.5e7, -5e7, -4e7), None)
    told = studied(support_triage(), gap)
    console = Console(width=80, highlight=False, emoji=False, markup=False)
    with console.capture() as capture:
        show(console, told.load, told.findings)
    lines = capture.get().splitlines()
    assert max(map(len, lines)) <= 80
    assert not [line for line in lines if "lost if…" in line or "wa…" in line]
    text = "\n".join(lines)
    for words in ("Better: 2 points more succeed.", "97%", "Latency: base, then variant", "4.50 s ± 45.0 ms"):
        assert words in text


def test_the_plot_is_as_high_as_its_highest_column() -> None:
    lines = [line.plain for line in latency_plot([(result(support_triage()), "blue")])]
    assert len(lines) == HIGH + 2
    assert "█" in lines[0]
    assert lines[0].split()[0].endswith("%")
    assert max(map(len, lines)) <= WIDE + 16
    assert "ms" in lines[-1] or "s" in lines[-1]


def test_one_lonely_bin_and_none_can_be_plotted() -> None:
    alone = replace(result(support_triage()), latencies=(LatencyBin(0.0, 0.1, 3),))
    assert any("█" in line.plain for line in latency_plot([(alone, "blue")]))
    assert latency_plot([(replace(alone, latencies=()), "blue")]) == []
