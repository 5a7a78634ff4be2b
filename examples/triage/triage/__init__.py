"""Sorts support tickets by urgency."""
