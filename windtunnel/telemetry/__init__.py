"""Telemetry of the simulated and of the real: runs leave as OTLP, recorded spans come in and set the numbers."""
