"""Digests as people paste them: with or without the name of the hash before."""


def plain_digest(digest: str | None) -> str | None:
    """The digest without the `sha256:` that `package build` and other tools write before it."""
    return None if digest is None else digest.removeprefix("sha256:")
