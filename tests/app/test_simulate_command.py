"""`windtunnel simulate`: what it prints and writes, and how it ends."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from typer.testing import CliRunner, Result

from app.cli import cli
from windtunnel.domain.architectures import architecture_from_json, digest_of
from windtunnel.domain.policy import SCENARIO_MAX_CHARS, SEED_MAX

ROOT = Path(__file__).parents[2]
TEXT = "Customers write to support. Triage sends each mail to billing or technical; a manager approves refunds."
OFFLINE = {"WINDTUNNEL_PLANNER": "offline"}
COMMAND = [sys.executable, "-c", "from app.cli import main; main()", "simulate"]
INTERRUPTIBLE = [
    sys.executable,
    "-c",
    # A shell lets what it starts in the background ignore Ctrl-C, and the tests may have been started so.
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); from app.cli import main; main()",
    "simulate",
]


def run(*arguments: str, stdin: bytes = b"") -> Result:
    return CliRunner().invoke(cli, ["simulate", *arguments], input=stdin, env=OFFLINE)


def told(*arguments: str, stdin: bytes = b"") -> dict[str, Any]:
    result = run(*arguments, "--json", stdin=stdin)
    assert (result.exit_code, result.stderr) == (0, "")
    answer: dict[str, Any] = json.loads(result.stdout)
    return answer


def test_json_is_one_object_that_tells_everything() -> None:
    answer = told(TEXT, "--seed", "7")
    assert answer["scenario"] == TEXT
    assert answer["seed"] == 7
    assert answer["planner"] == {"mode": "OFFLINE", "model": None}
    assert answer["interpretation"]["goal"]
    architecture = architecture_from_json(json.dumps(answer["architecture"]))
    assert answer["digest"] == digest_of(architecture)
    assert answer["metrics"]["agentCount"] == len(architecture.agents)
    events = answer["events"]
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert events[0]["kind"] == "SIMULATION_STARTED"
    assert [event["kind"] for event in events].count("PLANNER_STEP") == 10
    assert events[-1] | {"message": ""} == {
        "seq": len(events), "kind": "SIMULATION_FINISHED", "elapsedMs": events[-1]["elapsedMs"], "agentKey": None,
        "message": "", "status": "SUCCEEDED",
    }  # fmt: skip
    assert answer["summary"]["events"] == len(events)
    assert answer["narrative"] == [event["text"] for event in events if event["kind"] == "NARRATIVE"][-1]


def test_failure_modes_say_what_became_of_them() -> None:
    answer = told(TEXT, "--seed", "7")
    modes = {mode["key"]: mode for mode in answer["failureModes"]}
    strikes = [event for event in answer["events"] if event["kind"] == "FAILURE_EVENT" and event["outcome"] is None]
    assert strikes
    for event in strikes:
        assert event["seq"] in modes[event["failureKey"]]["triggeredSeqs"]
        assert modes[event["failureKey"]]["outcome"] in {"RECOVERED", "DEGRADED", "UNRECOVERED"}
    assert sum(len(mode["triggeredSeqs"]) for mode in modes.values()) == len(strikes)
    assert all(mode["title"] and mode["provenance"] for mode in modes.values())


def test_the_same_seed_gives_the_same_bytes_at_any_pace() -> None:
    one = run(TEXT, "--seed", "-3", "--json")
    other = run(TEXT, "--seed", "-3", "--json", "--pace", "1000000")
    assert one.stdout_bytes == other.stdout_bytes
    assert one.stdout_bytes != run(TEXT, "--seed", "4", "--json").stdout_bytes


def test_without_a_seed_one_is_chosen_and_told() -> None:
    assert 0 <= told(TEXT)["seed"] <= SEED_MAX


def test_plain_lines_tell_the_run_then_what_came_of_it() -> None:
    result = run(TEXT, "--seed", "7")
    assert (result.exit_code, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    assert lines[0].startswith("✓ Scenario interpreter")
    places = [result.stdout.index(words) for words in (
        "✓ The network is planned", "▸ ", "What happened:", "Failures:", "Network (Mermaid):", "flowchart TD",
        "--seed 7 repeat this run",
    )]  # fmt: skip
    assert places == sorted(places)
    assert any("✗" in line for line in lines)


def test_terminal_controls_in_a_scenario_never_reach_the_terminal() -> None:
    result = run("Agent \x1b[31mRed\x1b]0;title\x07 reads mail \u202eesrever\u202c, then answers.", "--seed", "1")
    assert result.exit_code == 0
    assert not {"\x1b", "\x07", "\u202e"} & set(result.stdout)


def test_out_writes_report_pictures_and_events(tmp_path: Path) -> None:
    out = tmp_path / "new" / "place"
    answer = told(TEXT, "--seed", "7", "--out", str(out))
    assert sorted(path.name for path in out.iterdir()) == [
        "architecture.json", "architecture.mmd", "events.jsonl", "network.svg", "report.html",
    ]  # fmt: skip
    architecture = architecture_from_json((out / "architecture.json").read_bytes())
    assert digest_of(architecture) == answer["digest"]
    assert [json.loads(line) for line in (out / "events.jsonl").read_text("utf-8").splitlines()] == answer["events"]
    assert ET.fromstring((out / "network.svg").read_text("utf-8")).tag.endswith("svg")
    assert (out / "architecture.mmd").read_text("utf-8").startswith("flowchart TD\n")
    report = (out / "report.html").read_text("utf-8")
    assert report.startswith("<!doctype html>")
    assert answer["narrative"].split(". ")[0] in report


def test_written_files_are_named(tmp_path: Path) -> None:
    stdout = run(TEXT, "--out", str(tmp_path)).stdout
    assert stdout.endswith(f"wrote {tmp_path / 'events.jsonl'}\n")


@pytest.mark.parametrize("arguments", [["-"], ["--file", "-"]])
def test_standard_input_is_read(arguments: list[str]) -> None:
    assert told(*arguments, "--seed", "1", stdin=TEXT.encode())["scenario"] == TEXT


def test_a_file_is_read_without_its_byte_order_mark(tmp_path: Path) -> None:
    file = tmp_path / "scenario.txt"
    file.write_bytes(b"\xef\xbb\xbf" + "Un agent lit les e-mails.\n客户".encode())
    assert told("--file", str(file), "--seed", "1")["scenario"] == "Un agent lit les e-mails.\n客户"


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ([], "Give the scenario"),
        ([""], "The scenario is empty"),
        ([" \n\u200b"], "The scenario is empty"),
        (["a" * (SCENARIO_MAX_CHARS + 1)], "at most 20,000 are accepted"),
        ([TEXT, "--file", "x"], "not both"),
        (["--file", "no/such/file"], "cannot be read: no such file"),
        (["--file", "."], "cannot be read: is a directory"),
        (["--file", "bad\0name"], "cannot be read"),
        ([TEXT, "--seed", "seven"], "--seed 'seven' is refused"),
        ([TEXT, "--seed", "2147483648"], "The seed must be"),
        ([TEXT, "--pace", "-1"], "The pace must be"),
        ([TEXT, "--pace", "nan"], "The pace must be"),
        ([TEXT, "--pace", "inf"], "The pace must be"),
        ([TEXT, "--pace", "fast"], "--pace 'fast' is refused"),
        ([TEXT, "--out", "/dev/null/x"], "--out '/dev/null/x' cannot be written to"),
        ([TEXT, "--out", "/dev/null"], "--out '/dev/null' cannot be written to"),
    ],
)
def test_bad_input_is_one_clear_line_and_code_2(arguments: list[str], complaint: str) -> None:
    for extra in ([], ["--json"]):
        result = run(*arguments, *extra)
        assert result.exit_code == 2
        assert result.stdout == ""
        assert result.stderr.startswith("windtunnel: ")
        assert result.stderr.count("\n") == 1
        assert complaint in result.stderr


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"caf\xe9", "is not UTF-8 text: byte 4"),
        (b"a\0b", "cannot be stored"),
        (b"", "The scenario is empty"),
        (b"\xef\xbb\xbf \n", "The scenario is empty"),
        ("€".encode() * (SCENARIO_MAX_CHARS + 1), "20,000"),
        (b"a" * 5_000_000, "20,000"),
    ],
)
def test_a_bad_file_or_standard_input_is_told_so(content: bytes, complaint: str, tmp_path: Path) -> None:
    file = tmp_path / "scenario.txt"
    file.write_bytes(content)
    for result in (run("--file", str(file)), run("-", stdin=content)):
        assert (result.exit_code, result.stdout) == (2, "")
        assert result.stderr.count("\n") == 1
        assert complaint in result.stderr


def test_as_a_process_it_prints_json_and_nothing_else() -> None:
    done = subprocess.run(
        [*COMMAND, TEXT, "--seed", "7", "--json"], cwd=ROOT, env={**OFFLINE, "PYTHONIOENCODING": "ascii"},
        capture_output=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout == run(TEXT, "--seed", "7", "--json").stdout_bytes


def test_ctrl_c_ends_it_cleanly() -> None:
    with subprocess.Popen(
        [*INTERRUPTIBLE, TEXT, "--pace", "0.001"], cwd=ROOT, env=OFFLINE,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        for line in process.stdout:
            if "The network is planned" in line:
                break
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130
    assert stderr == "windtunnel: interrupted.\n"


def test_a_reader_that_leaves_is_no_reason_for_a_traceback() -> None:
    with subprocess.Popen(
        [*COMMAND, TEXT, "--json"], cwd=ROOT, env=OFFLINE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        stderr = process.stderr.read()
    assert process.returncode == 1
    assert stderr == ""
