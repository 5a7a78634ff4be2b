"""The book: failure modes, orchestration patterns and tools with their sources, as data."""

from windtunnel.knowledge.book import Access, Book, PatternEntry, ToolEntry, Triggers, load_book

__all__ = ["Access", "Book", "PatternEntry", "ToolEntry", "Triggers", "load_book"]
