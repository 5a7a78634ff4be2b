"""What is kept: Piccolo tables and queries on SQLite or PostgreSQL."""
