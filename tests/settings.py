"""The shop's own settings, with what tests need different: speed, and files that go away."""

import os
import tempfile
from pathlib import Path

os.environ["OMACHE_ENV_FILE"] = os.devnull
os.environ.pop("DJANGO_SECRET_KEY", None)

from omachemainproj.settings import *  # noqa: F403
from omachemainproj.settings import BASE_DIR, DATABASE_TIMEOUTS, DATABASES

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
MEDIA_ROOT = Path(tempfile.mkdtemp(prefix="omache-media-"))
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
CELERY_BROKER_URL = ""
#: What follows a commit is done before the next line of a test.
TASK_THREADS = 0
#: A test of SMS says who carries them.
SMS = "off"
#: What a test has changed is on the page at once.
HOME_MAX_AGE = 0.0
#: As in a shop that says nothing of guests; tests/guests turns it on.
GUEST_CHECKOUT = False
COMMON_WORDS_MAX_AGE = 0.0
#: No clock runs beside a test; one about that says so.
HEARTBEATS_MAX_AGE = None
#: Whatever the hour; tests/watch says when it is night.
PROOF_HOURS = ()
SUGGESTIONS_MAX_AGE = 0.0
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
    # The shop's own are for a shop: emptying forty tables on a busy disk may take longer, and of
    # forty buyers of one shelf the last waits for all the others. A test of what a locked row means
    # says for how long it waits.
    DATABASE_TIMEOUTS |= {
        "statement_timeout": 60000,
        "lock_timeout": 50000,
        "idle_in_transaction_session_timeout": 60000,
    }
    DATABASES["default"]["OPTIONS"]["options"] = (
        " ".join(f"-c {name}={limit}" for name, limit in DATABASE_TIMEOUTS.items())
        + " -c synchronous_commit=off"
        # Of what tests/invariants.py has prepared, and nothing else is.
        " -c plan_cache_mode=force_generic_plan"
        # Its seventy questions in one statement look dear to PostgreSQL once tables have had rows:
        # it then compiled them, after each test, for ten seconds.
        " -c jit=off"
    )
    # psycopg forgets what it prepared with every rollback, that is after every test, and all else
    # that is prepared with it (tests/invariants.py). test_prepared_statements.py has its own.
    DATABASES["default"]["OPTIONS"]["prepare_threshold"] = None
