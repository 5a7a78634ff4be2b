"""Pictures of an architecture and of a run: Mermaid, Graphviz, SVG and a self-contained HTML report. Pure text out."""
