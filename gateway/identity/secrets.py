"""Secrets: how they look, how they are kept, how they are compared."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import zlib
from pathlib import Path

from cryptography.fernet import Fernet

from gateway.core.route import ConfigurationError
from gateway.settings import GatewaySettings

_PREFIX = "strata_secret_"


def new_secret(random: bytes | None = None) -> str:
    """A client secret: 256 random bits with a prefix and a checksum by which secret scanners recognise it.

    random: the 32 bytes, when they are derived instead of drawn.
    """
    body = (random or secrets.token_bytes(32)).hex()
    return f"{_PREFIX}{body}_{zlib.crc32(body.encode()):08x}"


def hashed(secret: str) -> bytes:
    """SHA-256; enough for 256 random bits, and the same time for every caller."""
    return hashlib.sha256(secret.encode()).digest()


def matches(secret: str, secret_hash: bytes) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(hashed(secret), secret_hash)


def derived(key: str, purpose: str, name: str) -> bytes:
    """32 bytes that only who knows the key can make again."""
    return hmac.digest(key.encode(), f"{purpose}\x00{name}".encode(), "sha256")


def secret_key(settings: GatewaySettings) -> str:
    """STRATA_SECRET_KEY, or the development key of the data folder, made there once with mode 0600.

    Raises ConfigurationError when there is neither, or when the key has the wrong form.
    """
    key = settings.secret_key
    if not key:
        if settings.data_dir is None:
            raise ConfigurationError("STRATA_SECRET_KEY: needed to keep signing keys; make one with `openssl rand`")
        key = _development_key(settings.data_dir / "gateway.key")
    try:
        Fernet(key)
    except ValueError:
        raise ConfigurationError("STRATA_SECRET_KEY: 32 bytes in URL-safe base64 are needed") from None
    return key


def _development_key(path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    made = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(Fernet.generate_key())
    try:
        path.hardlink_to(made)  # of two that start together one wins, and nobody reads half a key
    except FileExistsError:
        pass
    finally:
        made.unlink()
    return path.read_text("ascii").strip()
