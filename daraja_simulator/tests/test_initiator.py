"""The initiator: credentials, lock-out, certificate."""

import base64

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import padding

from daraja_simulator import Simulator

from .waiting import PATIENCE


def codes(shop):
    return [outcome["ResultCode"] for outcome in shop.outcomes]


def test_three_bad_passwords_lock_the_operator_out_until_unlocked(daraja, shop):
    bad = daraja.simulator.security_credential("wrong")
    for n in range(3):
        daraja.pay_out(originator=f"bad-{n}", SecurityCredential=bad)
    daraja.pay_out(originator="locked")
    daraja.simulator.unlock_initiator()
    daraja.pay_out(originator="unlocked")

    assert codes(shop) == [2001, 2001, 2001, 8006, 0]


def test_a_right_password_makes_the_wrong_ones_forgotten(daraja, shop):
    bad = daraja.simulator.security_credential("wrong")
    for n, credential in enumerate([bad, bad, None, bad, bad, None]):
        changes = {"SecurityCredential": credential} if credential else {}
        daraja.pay_out(originator=f"try-{n}", **changes)

    assert codes(shop) == [2001, 2001, 0, 2001, 2001, 0]


@pytest.mark.parametrize(
    "credential", ["simulator-password", "c2ltdWxhdG9yLXBhc3N3b3Jk", "Ö", "=" * 344]
)
def test_a_password_that_is_not_encrypted_is_a_bad_one(daraja, shop, credential):
    daraja.pay_out(SecurityCredential=credential)

    assert codes(shop) == [2001]


def test_the_certificate_is_what_a_client_encrypts_with(daraja, shop):
    pem = requests.get(daraja.simulator.url + "/control/certificate", timeout=PATIENCE).content
    key = x509.load_pem_x509_certificate(pem).public_key()
    sealed = key.encrypt(b"simulator-password", padding.PKCS1v15())

    daraja.pay_out(SecurityCredential=base64.b64encode(sealed).decode())

    assert key.key_size == 2048
    assert codes(shop) == [0]


def test_a_key_file_keeps_the_certificate_s_key(tmp_path):
    file = tmp_path / "key.pem"
    with Simulator(key_file=str(file)) as first:
        sealed = first.security_credential()
    with Simulator(key_file=str(file)) as second:
        opened = second.world.initiator.keys.decrypt(sealed)

    assert opened == b"simulator-password"
    assert file.stat().st_mode & 0o077 == 0
