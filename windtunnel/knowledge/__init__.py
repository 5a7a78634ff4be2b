"""The book: curated failure modes, patterns and tools, with their sources."""
