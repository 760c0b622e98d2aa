"""The simulator's key pair, and the certificate with which clients encrypt passwords.

Source: Daraja portal, Security Credential: the password's bytes, RSA with PKCS#1 v1.5 padding,
base64.
"""

import base64
import binascii
import os
import threading
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

from .clock import EAT

_making = threading.Lock()


class Keys:
    """A 2048-bit private key and its certificate, created on first use.

    All simulators of a process share one key. With a ``path`` the key is stored there instead, so
    that the certificate stays valid after a restart.
    """

    def __init__(self, path: str | None = None) -> None:
        self._path = Path(path) if path else None
        self._lock = threading.Lock()
        self._key: rsa.RSAPrivateKey | None = None
        self._certificate = ""

    @property
    def certificate(self) -> str:
        """The certificate in PEM. Raises OSError or ValueError for an invalid key file."""
        with self._lock:
            if not self._certificate:
                self._certificate = _certify(self._private_key())
            return self._certificate

    def load(self) -> None:
        """Read or create the key now. Raises OSError or ValueError for an invalid key file."""
        with self._lock:
            self._private_key()

    def encrypt(self, password: str) -> str:
        """Encrypt a password to a security credential, as clients do with the certificate."""
        with self._lock:
            public = self._private_key().public_key()
        return base64.b64encode(public.encrypt(password.encode(), padding.PKCS1v15())).decode()

    def decrypt(self, credential: str) -> bytes | None:
        """Decrypt a security credential; None if it is invalid."""
        with self._lock:
            key = self._private_key()
        try:
            return key.decrypt(base64.b64decode(credential, validate=True), padding.PKCS1v15())
        except (binascii.Error, ValueError):
            return None

    def _private_key(self) -> rsa.RSAPrivateKey:
        if self._key is None:
            self._key = _read_or_make(self._path) if self._path else _process_key()
        return self._key


def _process_key() -> rsa.RSAPrivateKey:
    with _making:
        return _one_key()


@cache
def _one_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _read_or_make(path: Path) -> rsa.RSAPrivateKey:
    if path.exists():
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
        if not isinstance(key, rsa.RSAPrivateKey):
            raise ValueError(f"{path} does not hold an RSA key")
        return key
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(pem)
    return key


def _certify(key: rsa.RSAPrivateKey) -> str:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "daraja-simulator")])
    now = datetime.now(EAT)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=3650))
        .sign(key, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM).decode()
