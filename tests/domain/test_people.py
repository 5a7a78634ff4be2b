"""How people and tenants are named."""

import pytest

from windtunnel.domain.errors import ValidationError
from windtunnel.domain.people import email_of, is_slug, known_roles, name_from, name_of_address
from windtunnel.domain.tokens import digest_of, effective_roles, new_secret, prefix_of
from windtunnel.domain.viewers import Role


def test_addresses_are_compared_in_small_letters_and_without_blanks() -> None:
    assert email_of(" Ada@Example.ORG ") == "ada@example.org"
    assert name_of_address("ada@example.org") == "ada"
    for wrong in ("", "ada", "a@", "@b", "a@b@c", "a b@c", "a@b\nc", "a@\ud800", "x" * 250 + "@b.de"):
        with pytest.raises(ValidationError):
            email_of(wrong)


def test_slugs_fit_into_addresses() -> None:
    assert all(is_slug(slug) for slug in ("a", "acme", "acme-2", "0", "x" * 63))
    assert not any(is_slug(slug) for slug in ("", "-a", "a-", "A", "a b", "a.b", "ä", "x" * 64, "a\n"))


def test_the_first_name_that_shows_something_is_taken() -> None:
    assert name_from(None, 7, " ", "\u200b", " Ada\tLovelace\n", "x", fallback="y") == "Ada Lovelace"
    assert name_from("\ud800a\0b", fallback="y") == "a b"
    assert name_from("x" * 300, fallback="y") == "x" * 200
    assert name_from(None, fallback="Somebody") == "Somebody"


def test_unknown_roles_are_passed_over() -> None:
    assert known_roles(["ADMIN", "KING", 7, None]) == {Role.ADMIN}
    assert known_roles("ADMIN, AUDITOR OPERATOR,admin") == {Role.ADMIN, Role.AUDITOR, Role.OPERATOR}
    assert known_roles({"ADMIN": True}) == known_roles(None) == frozenset()


def test_a_token_shows_its_beginning_and_has_what_its_person_has() -> None:
    secret = new_secret()
    assert secret.startswith(prefix_of(secret))
    assert (len(secret), len(prefix_of(secret)), len(digest_of(secret))) == (67, 11, 64)
    assert effective_roles({Role.ADMIN, Role.AUDITOR}, {Role.AUDITOR, Role.OPERATOR}) == {Role.AUDITOR}
