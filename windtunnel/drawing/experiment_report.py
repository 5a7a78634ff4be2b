"""An experiment as a self-contained HTML report: no scripts, nothing fetched, light and dark, printable."""

from collections.abc import Mapping
from dataclasses import dataclass

from markupsafe import Markup

from windtunnel.domain.architectures import Architecture
from windtunnel.domain.experiments import ExperimentResult, Findings, Load
from windtunnel.drawing.distribution import Times, distribution
from windtunnel.drawing.facts import humanised
from windtunnel.drawing.findings import EXACT_MAX, down_rows, estimate_rows, exact_rows, heats_of, node_rows
from windtunnel.drawing.pages import page
from windtunnel.drawing.palette import FONT, variables
from windtunnel.drawing.picture import svg
from windtunnel.drawing.risks import ranked, risk_of, risks
from windtunnel.drawing.verdicts import gaps, has_latency, headline, remarks
from windtunnel.drawing.whiskers import gap
from windtunnel.drawing.words import duration, share


@dataclass(frozen=True, slots=True)
class Studied:
    """Everything that a report tells of one experiment.

    `architecture` is what was under load, `other` the variant's. `text` is the scenario in words, if there was one,
    `command` repeats the experiment, `changes` say what is different in the variant.
    """

    title: str
    text: str
    architecture: Architecture
    load: Load
    findings: Findings
    command: str = ""
    other: Architecture | None = None
    changes: tuple[str, ...] = ()


def experiment_report(studied: Studied, *, titles: Mapping[str, str] | None = None) -> str:
    """The HTML document; `titles` names failure modes by code."""
    base, variant, difference = studied.findings.base, studied.findings.variant, studied.findings.difference
    names = {agent.key: agent.name for agent in studied.architecture.agents}
    names |= {tool.key: tool.name for tool in studied.architecture.tools}

    def name(key: str) -> str:
        return names.get(key, key)

    words = {mode.code: (titles or {}).get(mode.code) or humanised(mode.code) for mode in base.failure_modes}
    modes = ranked(base.failure_modes)
    costly = [mode for mode in modes if risk_of(mode) > 0]
    return page("experiment.html").render(
        studied=studied,
        base=base,
        variant=variant,
        headline=headline(base),
        has_latency=has_latency(base),
        remarks=remarks(base, name, words),
        gaps=[(one, gap(one.difference, one.verdict)) for one in gaps(difference)] if difference else [],
        estimates=estimate_rows(studied.findings),
        nodes=node_rows(base, name),
        downs=down_rows(base, name),
        is_probed=any(node.blast_radius is not None for node in base.nodes),
        variant_nodes=node_rows(variant, name) if variant else [],
        modes=[(mode, words[mode.code], risk_of(mode)) for mode in modes],
        costly=len(costly),
        matrix=risks(modes, [words[mode.code] for mode in modes], "Failure modes by chance and loss") if costly else "",
        latencies=_latencies(base, variant),
        latency_words=_told_in_words(base),
        exact=exact_rows(base, name),
        exact_more=max(0, len((base.analytic or {}).get("nodes", ())) - EXACT_MAX),
        network=Markup(svg(studied.architecture, heats=heats_of(base))),  # noqa: S704
        variant_network=Markup(svg(studied.other, heats=heats_of(variant))) if studied.other and variant else "",  # noqa: S704
        colors=Markup(variables(":root")),  # noqa: S704
        font=Markup(FONT),  # noqa: S704
    )


def _latencies(base: ExperimentResult, variant: ExperimentResult | None) -> Markup:
    sides = [_times(base, "base" if variant else "", "accent")]
    if variant is not None:
        sides.append(_times(variant, "variant", "variant"))
    return distribution(sides, "How long tasks took", "time from arrival to end, on a logarithmic scale")


def _times(result: ExperimentResult, name: str, color: str) -> Times:
    marks = (
        ("p50", result.latency_p50_ms.mean),
        ("p95", result.latency_p95_ms.mean),
        ("p99", result.latency_p99_ms.mean),
    )
    return Times(name, color, [(one.from_ms, one.to_ms, one.tasks) for one in result.latencies], marks)


def _told_in_words(result: ExperimentResult) -> str:
    """The distribution in a sentence, for those who do not see its picture."""
    if not has_latency(result):
        return "No task succeeded, so there is no latency to show."
    failing = share(1 - result.success_rate.mean).replace("< ", "fewer than ")
    return (
        f"Half of the tasks that succeed take at most {duration(result.latency_p50_ms.mean)}, 95 of 100 at most "
        f"{duration(result.latency_p95_ms.mean)}, 99 of 100 at most {duration(result.latency_p99_ms.mean)}; "
        f"{failing} of the tasks fail and are not shown."
    )
