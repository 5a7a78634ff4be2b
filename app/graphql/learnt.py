"""Documents that tenants have taught the server: each its own, and none at the expense of another."""

from app.graphql.documents import BoundedCache

DOCUMENTS_PER_TENANT = 1_000
CHARACTERS_PER_TENANT = 2_000_000
CHARACTERS_MAX = 8_000_000
CHARACTERS_OF_A_TENANT = 500
"""What it takes to remember a tenant at all, in the same coin."""


class LearntDocuments:
    """Texts by tenant and hash. When all of them are too much, whoever has the most loses its longest unused one."""

    def __init__(
        self,
        per_tenant: int = DOCUMENTS_PER_TENANT,
        characters_per_tenant: int = CHARACTERS_PER_TENANT,
        most_characters: int = CHARACTERS_MAX,
    ) -> None:
        self._per_tenant = per_tenant
        self._characters_per_tenant = characters_per_tenant
        self._most_characters = most_characters
        self._characters = 0
        self._tenants: dict[str, BoundedCache[str, str]] = {}

    def get(self, tenant_id: str, hash_: str) -> str | None:
        """The text, now the youngest of its tenant, or None."""
        texts = self._tenants.get(tenant_id)
        return texts.get(hash_) if texts else None

    def put(self, tenant_id: str, hash_: str, text: str) -> None:
        """Keep a text, unless it is a giant."""
        texts = self._tenants.get(tenant_id)
        if texts is None:
            texts = self._tenants[tenant_id] = BoundedCache(self._per_tenant, self._characters_per_tenant)
            self._characters += CHARACTERS_OF_A_TENANT
        before = texts.characters
        texts.put(hash_, text, len(text))
        self._characters += texts.characters - before
        while self._characters > self._most_characters:
            self._drop()

    def _drop(self) -> None:
        tenant_id, texts = max(self._tenants.items(), key=lambda each: each[1].characters)
        if len(texts):
            before = texts.characters
            texts.drop()
            self._characters -= before - texts.characters
        if not len(texts):
            del self._tenants[tenant_id]
            self._characters -= CHARACTERS_OF_A_TENANT
