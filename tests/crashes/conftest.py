"""A shop that can be killed, and the same shop after a restart."""

import base64
import json
import os
import subprocess
import sys

import pytest
from django.conf import settings
from django.db import connection
from rest_framework_simplejwt.tokens import AccessToken

from payments import gateway
from tests.payments.conftest import simulator  # noqa: F401

#: The environment of a process, in addition to its database.
_TOLD = ("DARAJA_BASE_URL", "DARAJA_CALLBACK_BASE_URL", "DARAJA_CERTIFICATE")


class Shop:
    """Processes of the shop; each does one thing and may be killed on the way."""

    def __init__(self, parent: subprocess.Popen) -> None:
        self._parent = parent

    def request(self, method, path, body=b"", *, phases, buyer=None, key="", kill_at=None):
        """Serve a request. ``phases`` name the time until the answer, and the time after it."""
        headers = {"HTTP_IDEMPOTENCY_KEY": key} if key else {}
        if buyer is not None:
            headers["HTTP_AUTHORIZATION"] = f"Bearer {AccessToken.for_user(buyer)}"
        return self._do(
            method=method,
            path=path,
            body=base64.b64encode(body).decode(),
            headers=headers,
            phases=phases,
            kill_at=kill_at,
        )

    def call(self, function, *arguments, phase="", kill_at=None):
        """Call a function by its full name."""
        return self._do(call=function, arguments=arguments, phases=[phase], kill_at=kill_at)

    def _do(self, **job):
        told = {name: getattr(settings, name) for name in _TOLD}
        told["DARAJA_QUERIES_A_MINUTE"] = 30_000
        job |= {"settings": told, "database": connection.settings_dict["NAME"]}
        self._parent.stdin.write(json.dumps(job) + "\n")
        self._parent.stdin.flush()
        return json.loads(self._parent.stdout.readline())


@pytest.fixture(scope="session")
def warm_shop():
    """A loaded process to fork from, for the whole session."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.crashes.warm"],
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as parent:
        yield Shop(parent)
        parent.stdin.close()


@pytest.fixture
def simulator_habits():
    """Every phone pays, manual payments are not validated, and callbacks are sent once."""
    return {"external_validation": False, "stk_confirmations": False, "magic": False}


@pytest.fixture
def shop(warm_shop, simulator, settings, tmp_path):  # noqa: F811
    """The shop, connected to a simulator with refunds, statement and manual payments enabled."""
    certificate = tmp_path / "certificate.pem"
    certificate.write_text(simulator.certificate)
    settings.DARAJA_CERTIFICATE = str(certificate)
    confirmation = gateway.c2b_url("confirmation")
    daraja = gateway.daraja()
    daraja.register_c2b_urls(
        confirmation_url=confirmation, validation_url=gateway.c2b_url("validation")
    )
    daraja.register_pull(nominated_number="0722000111", callback_url=confirmation)
    return warm_shop
