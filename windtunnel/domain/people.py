"""People and their tenants: how they are named."""

import re
from dataclasses import dataclass
from datetime import datetime

from windtunnel.domain.errors import ValidationError
from windtunnel.domain.viewers import Role

EMAIL_MAX_CHARS = 254
NAME_MAX_CHARS = 200
SUBJECT_MAX_CHARS = 255
_EMAIL = re.compile(r"[^\s@\x00-\x1f\x7f\ud800-\udfff]+@[^\s@\x00-\x1f\x7f\ud800-\udfff]+")
SLUG_FORM = "A slug has 1 to 63 lower-case letters, digits and hyphens, with no hyphen at either end."
_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


@dataclass(frozen=True, slots=True)
class Vouched:
    """A person as an OpenID provider tells of them at `told_at`, in the tenant that it names.

    `email` is None unless the provider has verified it, `roles` when it tells nothing of roles.
    """

    issuer: str
    subject: str
    slug: str
    name: str
    email: str | None
    roles: frozenset[Role] | None
    told_at: datetime

    def is_news(self, told_at: datetime, told_roles: frozenset[Role] | None) -> bool:
        """Whether this is newer than what the provider told before.

        An older token that is still valid must not undo what a newer one, or an ADMIN since then, has said.
        """
        return self.told_at > told_at or (self.told_at == told_at and self.roles != told_roles)

    def roles_of(self, person: frozenset[Role]) -> frozenset[Role]:
        """What its bearer may do: as far as the provider says, and the person still may."""
        return person if self.roles is None else person & self.roles


def email_of(text: str, path: tuple[str, ...] | None = None) -> str:
    """The address in the one form in which addresses are compared: trimmed, in lower case.

    Raises ValidationError for what cannot be one.
    """
    email = text.strip().lower()
    if len(email) > EMAIL_MAX_CHARS or not _EMAIL.fullmatch(email):
        raise ValidationError(
            f"This is not an e-mail address of at most {EMAIL_MAX_CHARS} characters, e.g. ada@example.org.",
            rule="email",
            path=path,
        )
    return email


def name_from(*candidates: object, fallback: str) -> str:
    """How to call a person: the first candidate that is a text with something in it, else `fallback`."""
    for candidate in candidates:
        if isinstance(candidate, str) and (name := _shown(candidate)):
            return name
    return fallback


def name_of_address(email: str) -> str:
    """What an address tells of a name."""
    return email.partition("@")[0][:NAME_MAX_CHARS]


def is_slug(text: str) -> bool:
    """Whether a tenant can be called so, see SLUG_FORM."""
    return _SLUG.fullmatch(text) is not None


def known_roles(names: object) -> frozenset[Role]:
    """The roles among `names`, a list or a text with blanks or commas; names that are none of ours are passed over."""
    if isinstance(names, str):
        names = names.replace(",", " ").split()
    given = names if isinstance(names, list | tuple) else ()
    return frozenset(role for role in Role if role.value in given)


def _shown(text: str) -> str:
    printable = "".join(char if char.isprintable() else " " for char in text)
    return " ".join(printable.split())[:NAME_MAX_CHARS].rstrip()
