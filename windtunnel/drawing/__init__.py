"""An architecture or a run as Mermaid, DOT, SVG and HTML."""
