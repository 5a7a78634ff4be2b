"""Documents that were parsed and validated before, by their text: one look-up replaces both."""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

from graphql.language import DocumentNode

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class BoundedCache(Generic[K, V]):
    """The most recently used entries; bounded by their number and by the characters that they hold."""

    def __init__(self, most_entries: int, most_characters: int) -> None:
        self._most_entries = most_entries
        self._most_characters = most_characters
        self._characters = 0
        self._entries: OrderedDict[K, tuple[V, int]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def characters(self) -> int:
        """How many it holds."""
        return self._characters

    def get(self, key: K) -> V | None:
        """The entry, now the youngest, or None."""
        found = self._entries.get(key)
        if found is None:
            return None
        self._entries.move_to_end(key)
        return found[0]

    def put(self, key: K, value: V, characters: int) -> None:
        """Keep a new entry, unless it is a giant, and drop the longest unused ones above the bounds."""
        if key in self._entries or characters > self._most_characters // 16:
            return
        self._entries[key] = value, characters
        self._characters += characters
        while len(self._entries) > self._most_entries or self._characters > self._most_characters:
            self.drop()

    def drop(self) -> None:
        """Forget the entry that was unused for longest."""
        _, (_, dropped) = self._entries.popitem(last=False)
        self._characters -= dropped


class DocumentCache:
    """The most recently used valid documents.

    Only valid documents are kept, so that nobody can push them out with rubbish, and no long ones: a document takes
    some hundred times the memory of its text.
    """

    def __init__(self, most_documents: int = 512, most_characters: int = 400_000) -> None:
        self._documents = BoundedCache[str, DocumentNode](most_documents, most_characters)

    def __len__(self) -> int:
        return len(self._documents)

    def get(self, text: str) -> DocumentNode | None:
        """The document with this very text, or None."""
        return self._documents.get(text)

    def put(self, text: str, document: DocumentNode) -> None:
        """Keep a valid document."""
        self._documents.put(text, document, len(text))
