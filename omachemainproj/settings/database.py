"""The database: PostgreSQL, or SQLite for development and a small shop."""

from typing import Any

from omachemainproj.database_urls import read_database_url

from .base import BASE_DIR, env

DATABASES: dict[str, dict[str, Any]] = {
    "default": env.url(
        "DATABASE_URL",
        read_database_url,
        default={"ENGINE": "django.db.backends.sqlite3", "NAME": str(BASE_DIR / "db.sqlite3")},
        wrong="must be sqlite:///file or postgres://user:password@host/name, with what is special "
        "in a password percent-encoded",
        may_be_empty=False,
    )
}
DATABASE_POOL_SIZE = env.number("DATABASE_POOL_SIZE", default=16, least=1, most=1000)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
_database = DATABASES["default"]
#: Off by default behind a proxy that gives each transaction another connection (PgBouncer). Set
#: ``on`` if the proxy supports prepared statements (from 1.21, max_prepared_statements).
DATABASE_PREPARED_STATEMENTS = env.switch(
    "DATABASE_PREPARED_STATEMENTS", default=_database.get("POOLING") != "transaction"
)
#: Milliseconds, so that no statement, lock or forgotten transaction blocks the shop. Set on the
#: role where connections cannot set them (``manage.py database_timeouts``).
DATABASE_TIMEOUTS = {
    "statement_timeout": 5000,
    "lock_timeout": 3000,
    "idle_in_transaction_session_timeout": 10000,
}
if "sqlite" in _database["ENGINE"]:
    _database["OPTIONS"] = {
        # Every atomic block takes the write lock when it begins: a read followed by a write in it
        # is safe, and two writers wait instead of failing with "database is locked".
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": (
            "PRAGMA journal_mode=WAL;PRAGMA synchronous=NORMAL;PRAGMA foreign_keys=ON;"
        ),
    }
else:
    # The URL's connection options (sslmode, sslrootcert) are kept beside ours.
    _asked = _database["OPTIONS"]
    _database["OPTIONS"] = {
        **_asked,
        #: At least gunicorn's threads plus three times TASK_THREADS; a process never opens more
        #: connections than this.
        "pool": {
            "min_size": 1,
            "max_size": DATABASE_POOL_SIZE,
            "timeout": 5,
            # Seconds of retries with doubling delays; the next request starts over. The default is
            # five minutes, with delays so long that a database would be back unnoticed.
            "reconnect_timeout": 3,
            "max_lifetime": 1800,
            "max_idle": 300,
        },
    }
    if _database["POOLING"] == "session":
        # A proxy that pools transactions takes no options, or drops them.
        _timeouts = [f"-c {name}={limit}" for name, limit in DATABASE_TIMEOUTS.items()]
        # Compiling a plan that PostgreSQL considers expensive costs more than any statement of a
        # request: with a million products, the parcels' page spent 0.2 s compiling a query that
        # read 31 rows (docs/performance.md).
        _asked_for = [_asked.get("options", ""), "-c jit=off", *_timeouts]
        _database["OPTIONS"]["options"] = " ".join(_asked_for).strip()
    # After a connection has sent a statement five times, PostgreSQL keeps it parsed and planned.
    _database["OPTIONS"]["server_side_binding"] = True
    _database["OPTIONS"]["prepare_threshold"] = 5 if DATABASE_PREPARED_STATEMENTS else None
    # Django's own backend, except that it detects dead connections without asking the server.
    _database["ENGINE"] = "omachemainproj.postgresql"
    _database["CONN_MAX_AGE"] = 0
