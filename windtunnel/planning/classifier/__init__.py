"""A small trained classifier of orchestration patterns."""
