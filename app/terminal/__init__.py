"""A rehearsal in the terminal: what happens while it runs, then what came of it."""
