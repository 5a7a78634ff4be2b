"""The HTML report of an experiment: complete in words, self-contained, harmless, the same every time."""

import re
from dataclasses import replace
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.drawing.networks import HOSTILE, network
from tests.drawing.studied import NOTHING, around, loaded, result, studied
from tests.drawing.test_report import Reader, read
from tests.examples import support_triage
from windtunnel.domain.architectures import Architecture
from windtunnel.domain.experiments import Caution, Estimate, ExperimentDifference, Findings
from windtunnel.drawing import svg
from windtunnel.drawing.experiment_report import Studied, experiment_report
from windtunnel.drawing.findings import down_rows, estimate_rows, heats_of, node_rows
from windtunnel.drawing.verdicts import headline, remarks, single_points

BETTER = ExperimentDifference(Estimate(0.02, 0.01, 0.03), Estimate(-900.0, -1_000.0, -800.0), Estimate(0.0, -0.1, 0.1))
LABELS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=40) | st.sampled_from(HOSTILE)


def words_of(told: Studied) -> str:
    return read(experiment_report(told, titles={"tool_api_timeout": "Slow tool"})).text


def test_everything_is_said_in_words() -> None:
    text = words_of(studied(support_triage()))
    for words in (
        "More work comes than can be done: it does not hold. 90 % of the tasks succeed; 95", "100 replications",
        "seed 7",
        "Too much work", "Bottleneck: Triage", "busy 97 % of the time", "Costliest failure: Slow tool",
        "strikes 20 % of the tasks, and costs 50 % of these: 10 % of all tasks are lost to it.", "is our estimate",
        "Single points of failure", "4.50 s", "4.46 s to 4.54 s", "Half of the tasks that succeed take at most 2 s",
        "10 % of the tasks fail and are not shown", "Busy?", "M/M/1", "inside the interval",
        "6 % below the closed form", "The first 1 task of each replication counts", "Student's t with 99 degrees",
        "windtunnel experiment Busy?", "95 % and more", "97 % busy · 2 % fail", "$0.02",
    ):  # fmt: skip
        assert words in text, words
    assert "Variant" not in text


def test_only_an_interval_without_zero_shows_a_difference() -> None:
    text = words_of(studied(support_triage(), BETTER))
    for words in (
        "Success Better: 2 points more succeed.", "+1 points to +3 points", "Better: 900 ms faster.", "−900 ms",
        "Cost per task No difference shown.", "The variant under load", "Base", "Variant",
    ):  # fmt: skip
        assert words in text, words
    worse = replace(BETTER, success_rate=Estimate(-0.02, -0.03, -0.01), latency_p95_ms=Estimate(0.0, 0.0, 0.0))
    text = words_of(studied(support_triage(), worse))
    assert "Worse: 2 points fewer succeed." in text
    assert "Latency, 95th percentile No difference shown." in text


def test_without_success_there_is_no_latency_to_speak_of() -> None:
    told = studied(support_triage())
    dead = replace(
        told.findings.base,
        success_rate=NOTHING,
        latency_mean_ms=NOTHING,
        latency_p95_ms=NOTHING,
        latencies=(),
        failure_modes=(),
        analytic=None,
        cost_usd_per_task=None,
        bottleneck=None,
        nodes=tuple(loaded(node.key, 0.0, None, 0) for node in told.findings.base.nodes),
    )
    document = experiment_report(replace(told, findings=Findings(dead)))
    text = read(document).text
    for words in ("0 % of the tasks succeed.", "No task succeeded", "no task succeeded", "No closed form", "states no"):
        assert words in text, words
    assert "forced down" not in text
    assert "How long tasks took" not in document


@pytest.mark.parametrize("difference", [None, BETTER], ids=["alone", "compared"])
def test_it_needs_nothing_from_outside_and_runs_nothing(difference: ExperimentDifference | None) -> None:
    document = experiment_report(studied(network(12), difference))
    reader = read(document)
    assert not {"script", "link", "img", "iframe", "object", "embed"} & set(reader.tags)
    for name, value in reader.attributes:
        assert not name.startswith("on")
        if name in {"href", "src"}:
            assert value == "#main"
    assert "default-src 'none'" in document
    assert set(re.findall(r"https?://[^\"' ]+", document)) == {"http://www.w3.org/2000/svg"}
    assert "url(" not in document


def test_it_reads_well_with_assistive_technology() -> None:
    document = experiment_report(studied(support_triage(), BETTER))
    reader = read(document)
    assert (reader.tags.count("h1"), reader.tags.count("main")) == (1, 1)
    ids = [value for name, value in reader.attributes if name == "id"]
    assert len(ids) == len(set(ids))
    assert {value for name, value in reader.attributes if name == "aria-labelledby"} <= set(ids)
    for picture in re.findall(r"<svg[^>]*>", document):
        assert 'role="img"' in picture or 'aria-hidden="true"' in picture
    assert "@media print" in document
    assert "prefers-color-scheme:dark" in document


def hostile(label: str) -> Studied:
    drawn = support_triage()
    named = replace(
        drawn,
        agents=tuple(replace(agent, name=label, responsibility=label) for agent in drawn.agents),
        tools=tuple(replace(tool, name=label, purpose=label) for tool in drawn.tools),
    )
    return studied(named, BETTER, label)


@cache
def _plain() -> Reader:
    return read(experiment_report(studied(support_triage(), BETTER)))


@given(LABELS)
@settings(deadline=None, max_examples=40)
def test_words_stay_words(label: str) -> None:
    plain = _plain()
    reader = read(experiment_report(hostile(label), titles={"tool_api_timeout": label}))
    # A name without anything to show leaves out its text, nothing more; wrapped names have more lines.
    assert set(reader.tags) <= set(plain.tags)
    assert {name for name, _ in reader.attributes} <= {name for name, _ in plain.attributes}
    assert "\u202e" not in reader.text


def test_keys_that_are_markup_stay_words() -> None:
    drawn = support_triage()
    found = result(drawn)
    nodes = (*found.nodes, loaded('<script>alert("x")</script>', 0.99, 0.9))
    told = replace(studied(drawn), findings=Findings(replace(found, nodes=nodes, bottleneck=nodes[-1].key)))
    document = experiment_report(told)
    assert "<script" not in document
    assert 'Bottleneck: <script>alert("x")</script>' in read(document).text


def test_the_same_experiment_gives_the_same_bytes() -> None:
    assert experiment_report(studied(network(9), BETTER)) == experiment_report(studied(network(9), BETTER))


def _glowing(architecture: Architecture) -> str:
    return svg(architecture, heats=heats_of(result(architecture)))


def test_heat_colours_cards_and_chips_and_flags_the_bottleneck() -> None:
    picture = _glowing(support_triage())
    assert picture.count("BOTTLENECK") == 1
    assert "wt-card wt-heat4" in picture
    assert "wt-chip wt-heat0" in picture
    assert "The bottleneck" in picture
    cold = svg(support_triage())
    assert "BOTTLENECK" not in cold
    assert "wt-card wt-heat" not in cold
    assert "busy" not in cold.replace("wt-busy", "")


def test_nobody_is_hidden_in_a_large_network() -> None:
    drawn = network(64)
    text = words_of(studied(drawn))
    for agent in drawn.agents:
        assert agent.name in text
    assert around(1.0).half_width == pytest.approx(0.01)


def test_the_busiest_and_the_costliest_come_first() -> None:
    told = studied(support_triage())
    quiet, *others = told.findings.base.nodes
    nodes = (*others, replace(quiet, utilisation=around(0.99), blast_radius=0.95))
    found = replace(told.findings.base, nodes=nodes)
    rows = node_rows(found, str)
    assert rows[0].node.key == quiet.key
    assert [row.node.utilisation.mean for row in rows] == sorted((n.utilisation.mean for n in nodes), reverse=True)
    downs = [row.node.blast_radius or 0.0 for row in down_rows(found, str)]
    assert downs[0] == 0.95
    assert downs == sorted(downs, reverse=True)
    assert min(downs) >= 0.01


@pytest.mark.parametrize(
    ("per_second", "name", "value"),
    [
        (2.0, "Tasks done per second", "2"),
        (0.0, "Tasks done per second", "0"),
        (0.001, "Tasks done per hour", "3.6"),
        (1e-6, "Tasks done per day", "0.0864"),
    ],
)
def test_slow_networks_are_counted_by_the_hour_or_day(per_second: float, name: str, value: str) -> None:
    slow = replace(result(support_triage()), throughput_per_s=around(per_second))
    row = next(row for row in estimate_rows(Findings(slow)) if row.name.startswith("Tasks done"))
    assert (row.name, row.cells[0][0]) == (name, value)


def test_few_failures_are_told_in_words() -> None:
    told = studied(support_triage())
    rare = replace(told.findings.base, success_rate=Estimate(0.9999, 0.9998, 1.0))
    assert "; fewer than 0.1 % of the tasks fail" in words_of(replace(told, findings=Findings(rare)))


def test_who_takes_most_of_little_success_is_a_single_point() -> None:
    nodes = (loaded("a", 0.5, 0.2), loaded("b", 0.5, 0.1))
    found = replace(result(support_triage()), success_rate=around(0.3), nodes=nodes)
    assert [node.key for node in single_points(found)] == ["a"]


def test_a_network_that_holds_is_not_accused_of_anything_first() -> None:
    short = Caution("Short replications", "Ask for more tasks.")
    found = replace(result(support_triage()), cautions=(short,))
    assert headline(found).startswith("90 % of the tasks succeed; ")
    assert [remark.head for remark in remarks(found, str, {})][-1] == short.head
