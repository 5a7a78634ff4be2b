"""Nouns and rules: plain values and pure functions, no I/O, no await, no clock."""
