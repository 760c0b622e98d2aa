"""The shop's own settings, with what tests need different: speed, and files that go away."""

import os
import tempfile
from pathlib import Path

os.environ["OMACHE_ENV_FILE"] = os.devnull
os.environ.pop("DJANGO_SECRET_KEY", None)

from omachemainproj.settings import *  # noqa: F403
from omachemainproj.settings import BASE_DIR, DATABASES

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
MEDIA_ROOT = Path(tempfile.mkdtemp(prefix="omache-media-"))
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
CELERY_BROKER_URL = ""
#: A test of SMS says who carries them.
SMS = "off"
#: The same page everywhere, whether or not somebody has built the storefront.
STOREFRONT_BUILD = BASE_DIR / "tests" / "storefront"
#: Nothing answers here: a test that reaches M-Pesa by accident gets a refusal at once.
DARAJA_BASE_URL = "http://127.0.0.1:9"

# Threads of a race each bring a connection; a pool would outlive the test database.
DATABASES["default"].setdefault("OPTIONS", {}).pop("pool", None)
if "sqlite" in DATABASES["default"]["ENGINE"]:
    # A file, not memory: threads share it as processes would.
    DATABASES["default"]["TEST"] = {
        "NAME": str(Path(tempfile.gettempdir()) / f"omache-test-{os.getpid()}.sqlite3")
    }
    # It need not outlive the machine: nobody waits for the disk.
    DATABASES["default"]["OPTIONS"]["init_command"] += "PRAGMA synchronous=OFF;"
else:
    # The shop's own are for a shop: emptying forty tables on a busy disk may take longer.
    DATABASES["default"]["OPTIONS"]["options"] = (
        "-c statement_timeout=60000 -c lock_timeout=3000 -c synchronous_commit=off"
        " -c idle_in_transaction_session_timeout=60000"
    )
