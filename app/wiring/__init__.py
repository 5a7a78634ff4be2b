"""Wiring: the only place that chooses SQLite or PostgreSQL, in-process or Redis, offline or OpenAI."""
