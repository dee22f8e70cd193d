"""Credentials of the sandbox account: a token for TBA, certificates for OAuth 2.0 M2M; stable for a data folder."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from sandbox.core.keep import Secrets, write_private
from sandbox.netsuite.account import ACCOUNT
from sandbox.netsuite.oauth1 import TokenKeys

# NetSuite takes RSA keys from 3072 bit on, and certificates valid for two years at most
RSA_BITS = 3072
VALID = timedelta(days=730)


class M2M(msgspec.Struct, frozen=True):
    """A certificate mapped to the integration for client credentials. files: None while kept in memory (tests)."""

    certificate_id: str
    private_key_pem: str
    certificate_pem: str
    private_key_file: Path | None = None


class Credentials:
    """What the folder has, and what it lacks is made on first use. Private keys lie there with mode 0600."""

    def __init__(self, secrets: Secrets, folder: Path | None) -> None:
        self._secrets = secrets
        self._folder = folder
        self.tba = TokenKeys(
            consumer_key=secrets.token("consumer_key", hex_digits=64),
            consumer_secret=secrets.token("consumer_secret", hex_digits=64),
            token_id=secrets.token("token_id", hex_digits=64),
            token_secret=secrets.token("token_secret", hex_digits=64),
            realm=ACCOUNT,
        )
        self.client_id = secrets.token("m2m_client_id", hex_digits=64)
        self.signing_secret = secrets.token("access_token_secret", hex_digits=64)

    @cached_property
    def certificates(self) -> dict[str, M2M]:
        """An RSA certificate (for PS256 and its like) and an elliptic one (for ES256), by `rsa` and `ec`."""
        return {name: _certificate(self._secrets, self._folder, name) for name in ("rsa", "ec")}


def _certificate(secrets: Secrets, folder: Path | None, name: str) -> M2M:
    key_pem, certificate_pem = secrets.get(f"m2m_{name}_key"), secrets.get(f"m2m_{name}_certificate")
    if key_pem is None or certificate_pem is None:
        key_pem, certificate_pem = _new_pair(name)
        secrets.put(f"m2m_{name}_key", key_pem)
        secrets.put(f"m2m_{name}_certificate", certificate_pem)
    file: Path | None = None
    if folder is not None:
        file = (folder / f"m2m-{name}.key.pem").absolute()
        if not file.exists() or file.read_text() != key_pem:
            write_private(file, key_pem.encode())
    return M2M(secrets.token(f"m2m_{name}_certificate_id", hex_digits=32), key_pem, certificate_pem, file)


def _new_pair(name: str) -> tuple[str, str]:
    key = rsa.generate_private_key(65537, RSA_BITS) if name == "rsa" else ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"strata sandbox {name}")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + VALID)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private.decode(), certificate.public_bytes(serialization.Encoding.PEM).decode()
