"""Concepts in words, one file per language."""
