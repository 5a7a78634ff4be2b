"""The built-in answers of the five planning agents: plain functions, no model."""
