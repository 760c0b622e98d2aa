"""The security credential: the initiator's password, encrypted with Safaricom's certificate.

Source: Daraja portal, Security Credential: RSA with PKCS#1 v1.5 padding of the password's bytes,
with nothing added, then base64.
"""

import base64

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from .errors import DarajaRefusal, DarajaRefused


def security_credential(*, password: str, certificate: str) -> str:
    """Encrypt the password with the certificate, which is PEM text and may have expired. Each call
    returns a different text, and each is valid as long as the password is.

    Raises DarajaRefused (CONFIGURATION).
    """
    try:
        key = x509.load_pem_x509_certificate(certificate.encode()).public_key()
    except (ValueError, UnsupportedAlgorithm, x509.InvalidVersion) as error:
        raise _misconfigured("the certificate cannot be read") from error
    if not isinstance(key, rsa.RSAPublicKey):
        raise _misconfigured("the certificate does not hold an RSA key")
    try:
        sealed = key.encrypt(password.encode(), padding.PKCS1v15())
    except ValueError as error:
        raise _misconfigured("the initiator's password cannot be encrypted") from error
    return base64.b64encode(sealed).decode()


def _misconfigured(message: str) -> DarajaRefused:
    return DarajaRefused(message, kind=DarajaRefusal.CONFIGURATION)
