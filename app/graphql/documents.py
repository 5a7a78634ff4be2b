"""Documents that were parsed and validated before, by their text: one look-up replaces both."""

from collections import OrderedDict

from graphql.language import DocumentNode


class DocumentCache:
    """The most recently used valid documents; bounded by number and by the characters of their texts.

    Only valid documents are kept, so that nobody can push them out with rubbish, and no long ones: a document takes
    some hundred times the memory of its text.
    """

    def __init__(self, most_documents: int = 512, most_characters: int = 400_000) -> None:
        self._most_documents = most_documents
        self._most_characters = most_characters
        self._characters = 0
        self._documents: OrderedDict[str, DocumentNode] = OrderedDict()

    def __len__(self) -> int:
        return len(self._documents)

    def get(self, text: str) -> DocumentNode | None:
        """The document with this very text, or None."""
        document = self._documents.get(text)
        if document is not None:
            self._documents.move_to_end(text)
        return document

    def put(self, text: str, document: DocumentNode) -> None:
        """Keep a valid document, and drop the longest unused ones above the bounds."""
        if text in self._documents or len(text) > self._most_characters // 16:
            return
        self._documents[text] = document
        self._characters += len(text)
        while len(self._documents) > self._most_documents or self._characters > self._most_characters:
            dropped, _ = self._documents.popitem(last=False)
            self._characters -= len(dropped)
