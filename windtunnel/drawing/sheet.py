"""The style sheet inside every SVG picture."""

from functools import cache

from markupsafe import Markup

from windtunnel.drawing.markup import tag
from windtunnel.drawing.palette import COLORS, FONT, paint, variables

_RULES = f"""
.wt{{font-family:{FONT};{paint(color="ink")}}}
.wt text{{{paint(fill="ink")}}}
.wt .wt-page{{{paint(fill="page")}}}
.wt .wt-card{{{paint(fill="card")};stroke:currentColor;stroke-width:1.4}}
.wt .wt-behind{{{paint(fill="card")};stroke:currentColor;stroke-width:1.2;stroke-opacity:.5}}
.wt .wt-ring{{fill:none;stroke:currentColor;stroke-width:3}}
.wt .wt-tint{{fill:currentColor;fill-opacity:.13}}
.wt .wt-icon{{fill:none;stroke:currentColor;stroke-width:1.5;stroke-linecap:round;stroke-linejoin:round}}
.wt .wt-role{{fill:currentColor;font-size:10px;font-weight:600;letter-spacing:.06em}}
.wt .wt-name{{font-size:13.5px;font-weight:600}}
.wt .wt-chip{{{paint(fill="chip", stroke="rule")};stroke-width:1}}
.wt .wt-chip-words{{font-size:10.5px;{paint(fill="soft")}}}
.wt .wt-chip+.wt-icon{{{paint(stroke="soft")}}}
.wt .wt-track{{{paint(fill="rule")}}}
.wt .wt-busy{{fill:currentColor}}
.wt .wt-pill{{fill:currentColor;{paint(stroke="page")};stroke-width:1.5}}
.wt .wt-pill-words{{font-size:9.5px;font-weight:700;{paint(fill="on")}}}
.wt .wt-link{{fill:none;stroke:currentColor;stroke-width:1.7;stroke-linecap:round}}
.wt .wt-link-handoff{{stroke-width:2.4}}
.wt .wt-link-event{{stroke-dasharray:1.5 5;stroke-width:2.2}}
.wt .wt-link-feedback{{stroke-dasharray:7 5}}
.wt .wt-head{{fill:currentColor}}
.wt .wt-label{{{paint(fill="page", stroke="rule")};stroke-width:1}}
.wt .wt-label-words{{font-size:11px;{paint(fill="soft")}}}
.wt .wt-gate{{fill:currentColor}}
.wt .wt-gate-ring{{fill:none;stroke:currentColor;stroke-width:2}}
.wt .wt-legend{{font-size:11px;{paint(fill="soft")}}}
.wt .wt-hot{{font-size:11px;font-weight:600}}
.wt .wt-bottleneck{{{paint(fill="ink")}}}
.wt .wt-bottleneck-words{{font-size:9px;font-weight:700;letter-spacing:.06em;{paint(fill="page")}}}
.wt .wt-separator{{{paint(stroke="rule")};stroke-width:1}}
.wt .wt-lane{{{paint(fill="card")}}}
.wt .wt-lane-name{{font-size:12px;font-weight:600}}
.wt .wt-tick{{font-size:10.5px;{paint(fill="soft")}}}
.wt .wt-grid{{{paint(stroke="faint")};stroke-width:1}}
.wt .wt-break{{{paint(stroke="soft")};stroke-width:1.2;stroke-dasharray:2 3}}
.wt .wt-step{{fill:currentColor;fill-opacity:.22;stroke:currentColor;stroke-width:1}}
.wt .wt-step-failed{{fill-opacity:.1;stroke-dasharray:4 3}}
.wt .wt-bar-words{{font-size:10.5px;{paint(fill="ink")}}}
.wt .wt-gap{{{paint(fill="chip")};fill-opacity:.7}}
.wt .wt-mark-line{{fill:none;stroke:currentColor;stroke-width:1.3;stroke-dasharray:2 3}}
.wt .wt-call{{fill:currentColor;fill-opacity:.85}}
.wt .wt-flow{{fill:none;{paint(stroke="data")};stroke-width:1;stroke-opacity:.55}}
.wt .wt-mark{{fill:currentColor;{paint(stroke="card")};stroke-width:1.2}}
.wt .wt-mark-sign{{fill:none;{paint(stroke="on")};stroke-width:1.6;stroke-linecap:round;stroke-linejoin:round}}
.wt .wt-heated .wt-role,.wt .wt-heated .wt-chip-words{{{paint(fill="ink")}}}
.wt .wt-heated .wt-icon{{{paint(stroke="ink")}}}
{"".join(f".wt .wt-heat{level}{{{paint(fill=f'heat{level}')}}}" for level in range(5))}
"""


@cache
def style_sheet() -> Markup:
    """The `<style>` element; a constant."""
    colors = "\n".join(f".wt .wt-of-{name}{{{paint(color=name)}}}" for name in COLORS)
    return tag("style", Markup("{}{}\n{}\n").format(Markup(variables(".wt")), Markup(_RULES), Markup(colors)))  # noqa: S704
