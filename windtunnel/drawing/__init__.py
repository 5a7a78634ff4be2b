"""Pictures of an architecture and of a run: Mermaid, Graphviz, SVG and a self-contained HTML report. Pure text out."""

from windtunnel.drawing.digraph import dot as dot
from windtunnel.drawing.flowchart import mermaid as mermaid
from windtunnel.drawing.picture import svg as svg
from windtunnel.drawing.timeline import timeline as timeline
