"""Simulated time: a discrete-event engine and the told simulation of an architecture. Pure, without any I/O."""

from windtunnel.simulation.run import Run

__all__ = ["Run"]
