"""People and their tenants: how they are named."""

import re

from windtunnel.domain.errors import ValidationError
from windtunnel.domain.viewers import Role

EMAIL_MAX_CHARS = 254
NAME_MAX_CHARS = 200
_EMAIL = re.compile(r"[^\s@\x00-\x1f\x7f\ud800-\udfff]+@[^\s@\x00-\x1f\x7f\ud800-\udfff]+")
_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


def email_of(text: str, path: tuple[str, ...] | None = None) -> str:
    """The address in the one form in which addresses are compared: trimmed, in small letters.

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
    """Whether a tenant can be called so: 1 to 63 small letters, digits and dashes, no dash first or last."""
    return _SLUG.fullmatch(text) is not None


def known_roles(names: object) -> frozenset[Role]:
    """The roles among `names`; what is no list, and names that are none of ours, are passed over."""
    given = names if isinstance(names, list | tuple) else ()
    return frozenset(role for role in Role if role.value in given)


def _shown(text: str) -> str:
    printable = "".join(char if char.isprintable() else " " for char in text)
    return " ".join(printable.split())[:NAME_MAX_CHARS].rstrip()
