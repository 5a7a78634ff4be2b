"""Digests as people paste them: with or without the name of the hash before."""


def plain_digest(digest: str) -> str:
    """The digest without the `sha256:` that `package build` and other tools write before it, and without blanks."""
    return digest.strip().removeprefix("sha256:")
