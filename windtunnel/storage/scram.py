"""What PostgreSQL keeps of a password (RFC 5803), made here: so the password itself is in no statement and no log."""

import hashlib
import hmac
import secrets
from base64 import b64encode

ITERATIONS = 4096
_SALT_BYTES = 16


def scram_verifier(password: str) -> str:
    """What `PASSWORD '...'` takes instead of a password of ASCII characters."""
    salt = secrets.token_bytes(_SALT_BYTES)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode("ascii"), salt, ITERATIONS)
    client = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    return f"SCRAM-SHA-256${ITERATIONS}:{_text(salt)}${_text(client)}:{_text(server)}"


def _text(value: bytes) -> str:
    return b64encode(value).decode()
