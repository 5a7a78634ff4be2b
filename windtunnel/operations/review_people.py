"""Who may review a deployment: people with the role who had no part in it, in their own name or in somebody else's."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from windtunnel.domain.deployments import Deployment
from windtunnel.domain.errors import ValidationError
from windtunnel.domain.people import email_of
from windtunnel.domain.reviews import Vote
from windtunnel.domain.viewers import Role, Viewer
from windtunnel.packages.signatures import SignatureRefusedError, read_signature
from windtunnel.storage import packages, people, tokens
from windtunnel.storage.store import Store

_AUTHORS = ("author", "maintainer", "signer", "builder")


async def excluded_people(
    store: Store, deployment: Deployment, manifest: Mapping[str, Any], signers: Iterable[str] = ()
) -> tuple[str, ...]:
    """The ids of all who had a part in a deployment, as far as they are people of the tenant by now.

    That is who submitted it, whoever may be acting as them or they as (by a token in the other's name), who uploaded
    the package or its signature, and whom these name; `signers` are further names.
    """
    tenant_id, submitter, names = deployment.tenant_id, deployment.submitted_by, [*signers]
    found = {submitter} | await tokens.entangled(store, tenant_id, submitter)
    found |= (await behind_tokens(store, tenant_id, [deployment.token_id])).get(deployment.token_id or "", frozenset())
    if package := await packages.get(store, tenant_id, deployment.package_digest):
        found.add(package.uploaded_by)
    if signature := await packages.signature_of(store, tenant_id, deployment.package_digest):
        found.add(signature.uploaded_by)
        names += _signers(signature.envelope, deployment.package_digest)
    return tuple(sorted(found | await named_people(store, tenant_id, manifest, names)))


async def named_people(
    store: Store, tenant_id: str, manifest: Mapping[str, Any], names: Iterable[str] = ()
) -> frozenset[str]:
    """The ids of those whom a manifest names; a name is an address, or a subject of an identity provider."""
    named = [*_named(manifest), *names]
    found = await people.of_emails(store, tenant_id, {email for each in named if (email := _email(each))})
    return found | await people.of_subjects(store, tenant_id, {each.strip() for each in named})


async def eligible_reviewers(store: Store, tenant_id: str, excluded: Collection[str]) -> list[str]:
    """The ids of all who may vote, in order."""
    return sorted(await people.with_role(store, tenant_id, Role.SECURITY_REVIEWER) - frozenset(excluded))


async def behind(store: Store, viewer: Viewer) -> frozenset[str]:
    """Everybody for whom it counts what the viewer does: the viewer, and whoever issued the token that they came with.

    If that one came with a token when they issued it, whoever is behind that, too.
    """
    found = await behind_tokens(store, viewer.tenant_id, [viewer.token_id])
    return found.get(viewer.token_id or "", frozenset()) | {viewer.user.id}


async def behind_tokens(store: Store, tenant_id: str, token_ids: Iterable[str | None]) -> Mapping[str, frozenset[str]]:
    """Who is behind these tokens, by token."""
    return await tokens.people_behind(store, tenant_id, [each for each in token_ids if each is not None])


def counted(
    votes: Iterable[Vote],
    behind: Mapping[str, frozenset[str]],
    *,
    reviewers: Collection[str],
    excluded: Collection[str],
) -> list[Vote]:
    """Those of these votes, all for it, that count now: of reviewers who had no part in it, each of another person.

    Who votes by a token that somebody else issued counts as that one, too; `behind` is that of `behind_tokens`.
    """
    valid: list[Vote] = []
    seen: set[str] = set(excluded)
    for vote in votes:
        voters = who_voted(vote, behind)
        if vote.person_id in reviewers and not voters & seen:
            valid.append(vote)
            seen |= voters
    return valid


def who_voted(vote: Vote, behind: Mapping[str, frozenset[str]]) -> frozenset[str]:
    """Everybody for whom a vote counts."""
    return behind.get(vote.token_id or "", frozenset()) | {vote.person_id}


def _named(manifest: Mapping[str, Any]) -> list[str]:
    """Whom a manifest names: its owners, and in `_meta` whatever is called an author or a maintainer."""
    named = [each for each in manifest.get("owners", ()) if isinstance(each, str)]
    meta = manifest.get("_meta")
    return named + (list(_authors(meta, is_author=False)) if isinstance(meta, Mapping) else [])


def _signers(envelope: str, digest: str) -> list[str]:
    """Whom a signature names: its keys, and in its predicate whatever is called an author, a signer or a builder."""
    try:
        read, statement = read_signature(envelope.encode(), digest)
    except SignatureRefusedError:
        return []
    return [each.keyid for each in read.signatures] + list(_authors(statement.predicate, is_author=False))


def _authors(value: object, *, is_author: bool) -> Iterable[str]:
    if isinstance(value, str):
        yield from ([value] if is_author else [])
    elif isinstance(value, Mapping):
        for key, item in value.items():
            called = any(word in str(key).casefold() for word in _AUTHORS)
            yield from _authors(item, is_author=is_author or called)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _authors(item, is_author=is_author)


def _email(text: str) -> str | None:
    """The address in `dev@acme.test` or `A. Dev <dev@acme.test>`."""
    within = text.rpartition("<")[2].partition(">")[0]
    try:
        return email_of(within)
    except ValidationError:
        return None
