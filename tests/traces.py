"""Whether a secret can be read, or guessed, from what was kept or told: every form that a program would give it."""

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import asyncpg  # type: ignore[import-untyped]

from tests.walks import catalogue

_DIGESTS = ("md5", "sha1", "sha224", "sha256", "sha384", "sha512", "blake2b", "blake2s", "sha3_256")


def traces(secret: str, contents: Mapping[str, bytes]) -> list[str]:
    """`FORM in NAME` for each form of the secret, in whatever case of hex digits, in each of these contents."""
    lowered = {name: content.lower() for name, content in contents.items()}
    return [
        f"{form} in {name}"
        for form, needle in forms(secret).items()
        for name, content in (lowered if form.endswith("hex") else contents).items()
        if needle in content
    ]


def forms(secret: str) -> dict[str, bytes]:
    """The secret in clear, encoded, escaped, and as digests that need no key: those a guess could be tried on."""
    raw = secret.encode()
    return {
        "clear": raw,
        "utf-16": secret.encode("utf-16-le"),
        "reversed": raw[::-1],
        "json": json.dumps(secret)[1:-1].encode(),
        "json in json": json.dumps(json.dumps(secret)[1:-1])[1:-1].encode(),
        "json in utf-8": json.dumps(secret, ensure_ascii=False)[1:-1].encode(),
        "python": repr(secret)[1:-1].encode(),
        "sql": secret.replace("'", "''").encode(),
        "url": quote(secret, safe="").encode(),
        "url with slashes": quote(secret).encode(),
        "form": quote_plus(secret).encode(),
        "every byte in the url": "".join(f"%{byte:02X}" for byte in raw).encode(),
        "hex": raw.hex().encode(),
        **{f"base64 at {shift}": _base64(raw, shift, b"+/") for shift in range(3)},
        **{f"base64url at {shift}": _base64(raw, shift, b"-_") for shift in range(3)},
        "base32": base64.b32encode(raw)[:-8],
        **{f"{name} hex": hashlib.new(name, raw).hexdigest().encode() for name in _DIGESTS},
        **{f"{name} base64": base64.b64encode(hashlib.new(name, raw).digest()) for name in _DIGESTS},
    }


def files(*directories: Path) -> dict[str, bytes]:
    """Every file below, by its path."""
    return {
        str(path): path.read_bytes() for directory in directories for path in directory.rglob("*") if path.is_file()
    }


async def rows(url: str) -> dict[str, bytes]:
    """Every table of a PostgreSQL database, all tenants and all values, as its superuser reads them."""
    connection = await asyncpg.connect(url)
    try:
        names = [*await catalogue.tables(connection), *catalogue.OF_NO_TENANT]
        return {name: b"\n".join(_texts(await connection.fetch(f"SELECT * FROM {name}"))) for name in names}
    finally:
        await connection.close()


def _texts(found: list[Any]) -> Iterator[bytes]:
    for row in found:
        yield b"\t".join(str(value).encode() for value in row.values())


def _base64(raw: bytes, shift: int, others: bytes) -> bytes:
    """What is the same of it wherever it stands in a longer text, `shift` bytes after a multiple of three."""
    encoded = base64.b64encode(b"\0" * shift + raw, others)
    return encoded[-(-shift * 8 // 6) : (shift + len(raw)) * 8 // 6]
