"""The shop's settings with the changes tests need: speed, and temporary files."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

os.environ["OMACHE_ENV_FILE"] = os.devnull
os.environ.pop("DJANGO_SECRET_KEY", None)

from omachemainproj.settings import *  # noqa: F403
from omachemainproj.settings import BASE_DIR, DATABASE_TIMEOUTS, DATABASES

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
MEDIA_ROOT = Path(tempfile.mkdtemp(prefix="omache-media-"))


@atexit.register
def _remove_media(made_by: int = os.getpid()) -> None:
    # A forked process ends before the one whose folder this is.
    if os.getpid() == made_by:
        shutil.rmtree(MEDIA_ROOT, ignore_errors=True)


EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
CELERY_BROKER_URL = ""
#: Tasks after a commit run before the test's next line.
TASK_THREADS = 0
#: A test of SMS sets the provider.
SMS = "off"
#: Changes of a test are visible on the page immediately.
HOME_MAX_AGE = 0.0
#: The default; tests/guests turns it on.
GUEST_CHECKOUT = False
COMMON_WORDS_MAX_AGE = 0.0
#: No clock runs during a test; tests of it turn this on.
HEARTBEATS_MAX_AGE = None
#: At any hour; tests/watch sets the night.
PROOF_HOURS = ()
SUGGESTIONS_MAX_AGE = 0.0
#: The same page everywhere, whether or not the storefront is built.
STOREFRONT_BUILD = BASE_DIR / "tests" / "storefront"
#: Nothing listens here: a test that calls M-Pesa by accident fails immediately.
DARAJA_BASE_URL = "http://127.0.0.1:9"

# Each thread of a race opens a connection; a pool would outlive the test database.
DATABASES["default"].setdefault("OPTIONS", {}).pop("pool", None)
if "sqlite" in DATABASES["default"]["ENGINE"]:
    # A file, not memory: threads share it like processes.
    DATABASES["default"]["TEST"] = {
        "NAME": str(Path(tempfile.gettempdir()) / f"omache-test-{os.getpid()}.sqlite3")
    }
    # It need not survive a crash: do not wait for the disk.
    DATABASES["default"]["OPTIONS"]["init_command"] += "PRAGMA synchronous=OFF;"
else:
    # The shop's timeouts are too short here: emptying forty tables on a busy disk may take longer,
    # and the last of forty buyers of one product waits for all the others. Tests of locked rows set
    # their own.
    DATABASE_TIMEOUTS |= {
        "statement_timeout": 60000,
        "lock_timeout": 50000,
        "idle_in_transaction_session_timeout": 60000,
    }
    DATABASES["default"]["OPTIONS"]["options"] = (
        " ".join(f"-c {name}={limit}" for name, limit in DATABASE_TIMEOUTS.items())
        + " -c synchronous_commit=off"
        # What tests/invariants.py asks after each test, and what others repeat, is planned once.
        " -c plan_cache_mode=force_generic_plan"
        # Its seventy questions in one statement look dear to PostgreSQL once tables have had rows:
        # it then compiled them, after each test, for ten seconds.
        " -c jit=off"
    )
