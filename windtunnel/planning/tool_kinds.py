"""Which tool of the catalogue a model means when it does not use the catalogue's id."""

from collections import Counter

from windtunnel.knowledge import Book
from windtunnel.planning.naming import slug
from windtunnel.planning.reading.reading import look


def kind_of_tool(name: str, book: Book) -> str | None:
    """The catalogue id for a tool called `name`: the id, its title, or what its words speak of; None if nothing."""
    word = slug(name)
    if word in book.tools:
        return word
    for entry in book.tools.values():
        if word in {slug(entry.name), f"tool_{entry.id}"}:
            return entry.id
    hits = Counter(
        hit.concept
        for clause in look(name.replace("_", " ")[:300]).clauses
        for hit in clause.hits
        if hit.section == "tools"
    )
    return max(sorted(hits), key=lambda kind: hits[kind]) if hits else None
