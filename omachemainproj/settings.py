"""Every setting of O-Mache, read from the environment.

Without ``DJANGO_SECRET_KEY`` this is a laptop: debug on, localhost only, SQLite, the simulator
as M-Pesa. With it, this is production. Missing, misspelt or dangerous settings prevent the start,
all reported together, one sentence each (production.py); so do a real shop's settings on a laptop.
``.env.example`` explains each variable; a ``.env`` file beside ``manage.py`` is read.
"""

import hashlib
from datetime import timedelta
from pathlib import Path
from typing import Any

from .environment import Environment, read_release
from .mpesa_limits import MAX_B2C, MAX_PAYMENT
from .production import find_problems
from .service_urls import (
    read_allowed_host,
    read_base_url,
    read_database_url,
    read_mail_url,
    read_origin,
    read_service_url,
)

BASE_DIR = Path(__file__).resolve().parent.parent

env = Environment.of_process(BASE_DIR)


# --- Laptop or production -------------------------------------------------------------------

SECRET_KEY = env.secret("DJANGO_SECRET_KEY")
PRODUCTION = bool(SECRET_KEY)
DEBUG = not PRODUCTION
if not PRODUCTION:
    SECRET_KEY = "laptop-only-" + hashlib.sha256(str(BASE_DIR).encode()).hexdigest()
_KEY_BEFORE = env.secret("DJANGO_SECRET_KEY_BEFORE")
#: The previous key, while it is being rotated: its signatures and encryption are still accepted.
SECRET_KEY_FALLBACKS = [_KEY_BEFORE] if _KEY_BEFORE else []

HTTPS = env.switch("HTTPS", default=PRODUCTION)
THROTTLES = env.switch("THROTTLES", default=PRODUCTION)
#: The number of our proxies in front; the client's address is read from the outermost.
TRUSTED_PROXIES = env.number("TRUSTED_PROXIES", default=0, most=10)

_AN_ADDRESS = "must be an address like https://api.example.co.ke, with nothing behind its path"

ALLOWED_HOSTS = env.words(
    "DJANGO_ALLOWED_HOSTS",
    read_allowed_host,
    wrong="host names like api.example.co.ke, without scheme, port or path",
)
CORS_ALLOWED_ORIGINS = env.words(
    "CORS_ALLOWED_ORIGINS",
    lambda text: text if text == "*" else read_origin(text),
    default=[]
    if PRODUCTION
    else [f"http://{host}:{port}" for host in ("localhost", "127.0.0.1") for port in (3000, 5173)],
    wrong="origins like https://shop.example.co.ke, without a path",
)
CSRF_TRUSTED_ORIGINS = env.words(
    "CSRF_TRUSTED_ORIGINS",
    lambda text: read_origin(text, may_be_wild=True),
    wrong="origins like https://api.example.co.ke, without a path",
)

# --- The shop's policy -----------------------------------------------------------------------

ORDER_HOLD_MINUTES = env.number("ORDER_HOLD_MINUTES", default=15, least=1, most=24 * 60)
#: Distinct products that people who have never paid may hold from one network; 0: no limit. On a
#: laptop, and in a rehearsal without rate limits, everybody is on one network.
UNPAID_GOODS_PER_NETWORK = env.number(
    "UNPAID_GOODS_PER_NETWORK", default=40 if THROTTLES else 0, most=1_000_000
)
#: For new sales; each line keeps the commission agreed when it was sold.
COMMISSION_PERCENT = env.percent("COMMISSION_PERCENT")
#: Days after delivery during which a buyer can report a problem.
PROBLEM_DAYS = env.number("PROBLEM_DAYS", default=7, least=1, most=90)
#: Days without an answer after which a problem is shown in red on the console.
PROBLEM_ANSWER_DAYS = env.number("PROBLEM_ANSWER_DAYS", default=3, least=1, most=30)
#: The most that a seller whose earnings were paid out may refund without the shop's decision, KES,
#: including all they already owe the shop. 0: nothing.
SELLER_REFUND_ON_CREDIT = env.number("SELLER_REFUND_ON_CREDIT", default=5_000, most=MAX_B2C)
#: Shipped goods count as delivered after this many days without an answer from their buyer.
DELIVERY_CONFIRM_DAYS = env.number("DELIVERY_CONFIRM_DAYS", default=7, least=1, most=365)
#: Days a parcel waits at its pick-up point; its buyer is reminded after half of them. After that,
#: staff decide.
PICKUP_DAYS = env.number("PICKUP_DAYS", default=7, least=2, most=90)
#: The number of claimed parcels that an agent has yet to fetch, and the hours after which an
#: unfetched parcel becomes available to others again.
PARCELS_HELD_UNFETCHED = env.number("PARCELS_HELD_UNFETCHED", default=20, least=1, most=1000)
PARCEL_CLAIM_HOURS = env.number("PARCEL_CLAIM_HOURS", default=24, least=1, most=24 * 14)
#: The limit of payouts to sellers in one day, KES. At least M-Pesa's largest payment.
PAYOUT_DAILY_LIMIT = env.number(
    "PAYOUT_DAILY_LIMIT", default=1_000_000, least=MAX_B2C, most=1_000_000_000
)
#: A payout above this, KES, waits for the approval of a second person.
PAYOUT_APPROVAL_ABOVE = env.number("PAYOUT_APPROVAL_ABOVE", default=50_000, most=MAX_B2C)
#: How much of the shop's money one staff member may risk without a second person's approval, KES:
#: per action, and per day. 0: nothing.
STAFF_ALONE_LIMIT = env.number("STAFF_ALONE_LIMIT", default=5_000, most=MAX_B2C)
STAFF_ALONE_DAILY_LIMIT = env.number("STAFF_ALONE_DAILY_LIMIT", default=20_000, most=1_000_000)
#: How much one staff member may release per day to its owners, KES: to sellers whose goods they
#: fetch, and back to payers whose lines are cancelled before that.
STAFF_MOVES_DAILY_LIMIT = env.number("STAFF_MOVES_DAILY_LIMIT", default=300_000, most=1_000_000_000)

#: The limit of refunds to buyers in one day, KES. At least M-Pesa's largest payment.
REFUND_DAILY_LIMIT = env.number(
    "REFUND_DAILY_LIMIT", default=1_000_000, least=MAX_PAYMENT, most=1_000_000_000
)
#: A refund above this, KES, waits for the approval of a second person.
REFUND_APPROVAL_ABOVE = env.number("REFUND_APPROVAL_ABOVE", default=50_000, most=MAX_PAYMENT)
#: Phones that have never paid here and that one network may send prompts to in an hour; in a day,
#: five times as many. Many customers of a mobile network share one address.
NEW_PHONES_A_NETWORK = env.number("NEW_PHONES_A_NETWORK", default=60, least=1, most=100_000)

#: Seconds a process serves the home page without checking for changes.
HOME_MAX_AGE = 1.0
#: Seconds a process caches whether a search term is common among the newest goods.
COMMON_WORDS_MAX_AGE = 60.0
#: Seconds for which search suggestions may be cached.
SUGGESTIONS_MAX_AGE = 60.0

# --- Personal data, and how long it is kept (docs/privacy.md) ----------------------------------

#: Days for which the phone of a finished order is kept; then only its last three digits.
KEEP_PHONES_DAYS = env.number("KEEP_PHONES_DAYS", default=365, least=30, most=3650)
#: Days for which the text and the recipient of a sent message are kept.
KEEP_MESSAGES_DAYS = env.number("KEEP_MESSAGES_DAYS", default=180, least=7, most=3650)
#: Days after delivery during which a seller sees the buyer's number.
SELLER_SEES_PHONE_DAYS = env.number("SELLER_SEES_PHONE_DAYS", default=7, most=365)
#: Days after a parcel is handed over during which its agent sees it, with both addresses.
AGENT_SEES_PARCEL_DAYS = env.number("AGENT_SEES_PARCEL_DAYS", default=7, most=365)
#: Days for which a username that its user gave up is not available to others.
NAME_RESTS_DAYS = env.number("NAME_RESTS_DAYS", default=365, least=1, most=3650)
#: Ended sessions: times, addresses and devices.
KEEP_SESSIONS_DAYS = env.number("KEEP_SESSIONS_DAYS", default=30, least=1, most=3650)

# --- M-Pesa ----------------------------------------------------------------------------------

#: Default credentials of the simulator, for laptops; not secret.
SIMULATED = {
    "DARAJA_BASE_URL": "http://127.0.0.1:8001",
    "DARAJA_CALLBACK_BASE_URL": "http://127.0.0.1:8000",
    "DARAJA_CONSUMER_KEY": "simulator-key",
    "DARAJA_CONSUMER_SECRET": "simulator-secret",
    "DARAJA_SHORTCODE": "174379",
    "DARAJA_PASSKEY": "simulator-passkey",
    "DARAJA_C2B_TOKEN": "laptop-only",
    "DARAJA_B2C_SHORTCODE": "600000",
    "DARAJA_INITIATOR_NAME": "simulator",
    "DARAJA_INITIATOR_PASSWORD": "simulator-password",
}
_DEFAULTS = dict.fromkeys(SIMULATED, "") if PRODUCTION else SIMULATED

DARAJA_BASE_URL = env.url(
    "DARAJA_BASE_URL", read_base_url, default=_DEFAULTS["DARAJA_BASE_URL"], wrong=_AN_ADDRESS
)
DARAJA_CALLBACK_BASE_URL = env.url(
    "DARAJA_CALLBACK_BASE_URL",
    read_base_url,
    default=_DEFAULTS["DARAJA_CALLBACK_BASE_URL"],
    wrong=_AN_ADDRESS,
)
DARAJA_CONSUMER_KEY = env.visible("DARAJA_CONSUMER_KEY", default=_DEFAULTS["DARAJA_CONSUMER_KEY"])
DARAJA_CONSUMER_SECRET = env.visible(
    "DARAJA_CONSUMER_SECRET", default=_DEFAULTS["DARAJA_CONSUMER_SECRET"]
)
DARAJA_SHORTCODE = env.digits("DARAJA_SHORTCODE", default=_DEFAULTS["DARAJA_SHORTCODE"])
DARAJA_PASSKEY = env.visible("DARAJA_PASSKEY", default=_DEFAULTS["DARAJA_PASSKEY"])
DARAJA_TRANSACTION_TYPE = env.choice(
    "DARAJA_TRANSACTION_TYPE",
    among=("CustomerPayBillOnline", "CustomerBuyGoodsOnline"),
    default="CustomerPayBillOnline",
)
DARAJA_PARTY_B = env.digits("DARAJA_PARTY_B")
#: Addresses and networks that callbacks are accepted from; empty: any.
DARAJA_CALLBACK_IPS = env.networks("DARAJA_CALLBACK_IPS")
#: Status queries per minute by all workers together: the rate the sandbox was seen to accept.
DARAJA_QUERIES_A_MINUTE = env.number("DARAJA_QUERIES_A_MINUTE", default=5, least=1, most=100_000)

#: The secret part of the URLs that receive C2B payments to the pay bill; empty: no such URLs.
DARAJA_C2B_TOKEN = env.visible("DARAJA_C2B_TOKEN", default=_DEFAULTS["DARAJA_C2B_TOKEN"])
#: Whether M-Pesa's statement may be read (Pull Transactions, registered for the pay bill).
DARAJA_STATEMENT = env.switch("DARAJA_STATEMENT", default=not PRODUCTION)
#: The initiator of B2C payments and reversals; empty: staff make refunds manually.
DARAJA_B2C_SHORTCODE = env.digits("DARAJA_B2C_SHORTCODE", default=_DEFAULTS["DARAJA_B2C_SHORTCODE"])
DARAJA_INITIATOR_NAME = env.text(
    "DARAJA_INITIATOR_NAME", default=_DEFAULTS["DARAJA_INITIATOR_NAME"]
)
DARAJA_INITIATOR_PASSWORD = env.text(
    "DARAJA_INITIATOR_PASSWORD", default=_DEFAULTS["DARAJA_INITIATOR_PASSWORD"]
)
#: The PEM file of the certificate under which the initiator's password is encrypted.
DARAJA_CERTIFICATE = env.text("DARAJA_CERTIFICATE")

# --- Banks -----------------------------------------------------------------------------------

#: The credentials of Equity Bank's notifications (IPN); no password: no such URL.
EQUITY_IPN_USERNAME = env.text("EQUITY_IPN_USERNAME")
EQUITY_IPN_PASSWORD = env.text("EQUITY_IPN_PASSWORD")
#: Equity's pay bill, and the account number that a buyer enters there: {reference} is replaced by
#: the order's. Shown to buyers if it is set.
EQUITY_PAY_BILL = env.digits("EQUITY_PAY_BILL", default="247247")
EQUITY_ACCOUNT = env.text("EQUITY_ACCOUNT")
#: The shop's account at the bank: a notification for another account is not the shop's money.
#: Empty: the number that EQUITY_ACCOUNT begins with, if that is a whole account number.
EQUITY_ACCOUNT_NUMBER = env.digits("EQUITY_ACCOUNT_NUMBER")

# --- Notifications ---------------------------------------------------------------------------

#: How SMS are sent: not at all, to a laptop's log, or by Africa's Talking.
SMS = env.choice(
    "SMS", among=("off", "console", "africastalking"), default="off" if PRODUCTION else "console"
)
AFRICASTALKING_USERNAME = env.visible("AFRICASTALKING_USERNAME")
AFRICASTALKING_API_KEY = env.visible("AFRICASTALKING_API_KEY")
#: The registered short code or name it comes from; empty: Africa's Talking's own.
AFRICASTALKING_SENDER_ID = env.text("AFRICASTALKING_SENDER_ID")
#: The secret part of the address its delivery reports are posted to; empty: none are read.
AFRICASTALKING_REPORTS_TOKEN = env.visible(
    "AFRICASTALKING_REPORTS_TOKEN", default="" if PRODUCTION else "laptop-only"
)
AFRICASTALKING_BASE_URL = env.url(
    "AFRICASTALKING_BASE_URL",
    read_base_url,
    default="https://api.africastalking.com",
    wrong=_AN_ADDRESS,
)

#: Whether users may sign in and register by phone, with codes sent by SMS.
PHONE_LOGIN = env.switch("PHONE_LOGIN", default=not PRODUCTION)
#: Whether people may cash out with only a phone number, without an account. An account that then
#: proves that phone with a code takes over the order (orders.joining).
GUEST_CHECKOUT = env.switch("GUEST_CHECKOUT", default=PHONE_LOGIN and not PRODUCTION)
#: Codes that one network may request in an hour (in a day, five times as many), and codes that the
#: shop sends in a day in total: each costs money.
PHONE_CODES_A_NETWORK = env.number("PHONE_CODES_A_NETWORK", default=120, least=1, most=100_000)
PHONE_CODES_A_DAY = env.number("PHONE_CODES_A_DAY", default=5_000, least=1, most=10_000_000)

# --- Applications ----------------------------------------------------------------------------

INSTALLED_APPS = [
    # First: its templates replace the admin's own.
    "omachemainproj",
    # django.contrib.admin, with the shop's own sign-in.
    "accounts.apps.ShopAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "rest_framework_simplejwt.token_blacklist",
    "allauth",
    "allauth.account",
    # dj-rest-auth's registration imports it; no social log-in is offered.
    "allauth.socialaccount",
    "allauth.mfa",
    "dj_rest_auth",
    "dj_rest_auth.registration",
    "django_filters",
    "corsheaders",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "import_export",
    "accounts",
    "products",
    "orders",
    "payments",
]

MIDDLEWARE = [
    "omachemainproj.middleware.RequestIdMiddleware",
    # Before any middleware that may refuse: without CORS headers a page only sees "network error".
    "corsheaders.middleware.CorsMiddleware",
    "omachemainproj.answers.AnswerMiddleware",
    "omachemainproj.middleware.EdgeMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "omachemainproj.middleware.PagesMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "omachemainproj.middleware.RefusalMiddleware",
]
#: Only for pages and log-ins (PagesMiddleware), in this order.
PAGES_MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.middleware.CookieSessionMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]

ROOT_URLCONF = "omachemainproj.urls"
WSGI_APPLICATION = "omachemainproj.wsgi.application"
#: A 301 would lose a POST body; EdgeMiddleware accepts both spellings instead.
APPEND_SLASH = False

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

LANGUAGE_CODE = "en-gb"
TIME_ZONE = "Africa/Nairobi"
USE_I18N = True
#: One way to write dates, in the admin too.
FORMAT_MODULE_PATH = "omachemainproj.formats"
USE_TZ = True

# --- Database: always the truth --------------------------------------------------------------

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

# --- Cache: speed and rate limits, never money ------------------------------------------------

CACHE_URL = env.url(
    "CACHE_URL",
    lambda text: read_service_url(text, {"redis", "rediss", "unix"}),
    default="",
    wrong="must be like redis://:password@127.0.0.1:6379/0, with what is special in a password "
    "percent-encoded",
)
CACHES: dict[str, dict[str, Any]] = {
    "default": {
        "BACKEND": "omachemainproj.caches.RedisCache",
        "LOCATION": CACHE_URL,
        # Seconds. Each request uses it twice, so a slower cache is treated as down.
        "OPTIONS": {"socket_connect_timeout": 0.25, "socket_timeout": 0.1},
    }
    if CACHE_URL
    # Shared by several processes; a laptop has one.
    else {"BACKEND": "omachemainproj.caches.TableCache", "LOCATION": "omachemainproj_cacheentry"}
    if PRODUCTION
    else {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "LOCATION": "omache",
        # Django's default of 300 would discard counters in use.
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    }
}

# --- Tasks: run by workers if there is a broker, else in threads of the web processes ----------

#: Threads for each service that tasks wait for: M-Pesa, mail and SMS, the database. 0: none; tasks
#: run within the request.
TASK_THREADS = env.number("TASK_THREADS", default=3, least=0, most=64)

CELERY_BROKER_URL = env.url(
    "CELERY_BROKER_URL",
    lambda text: read_service_url(
        text, {"redis", "rediss", "redis+socket", "sentinel", "amqp", "amqps"}
    ),
    default="",
    wrong="must be like redis://:password@127.0.0.1:6379/1 or amqp://…, with what is special in a "
    "password percent-encoded",
)
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_TIME_LIMIT = 120
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
#: A broker that is down must not delay a request, which then runs the task itself (background.py).
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "socket_connect_timeout": 0.5,
    "socket_timeout": 5,
    "max_retries": 0,
}
CELERY_TASK_PUBLISH_RETRY = False
CELERY_TIMEZONE = TIME_ZONE
CELERY_BEAT_SCHEDULE = {
    "clock": {"task": "payments.tasks.tick", "schedule": 10.0, "options": {"expires": 10}},
    "nightly proof": {"task": "payments.tasks.prove", "schedule": 20.0, "options": {"expires": 20}},
    "watch": {"task": "payments.tasks.watch", "schedule": 60.0, "options": {"expires": 60}},
    "housekeeping": {"task": "payments.tasks.housekeep", "schedule": 24 * 3600.0},
}

# --- People ----------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["accounts.backends.UsernameOrEmailBackend"]
#: Lock out log-ins and codes after too many failures (accounts/lockout.py).
LOCKOUT = THROTTLES
#: Limit how much is stored of posts to unknown webhook URLs (payments/webhooks/strangers.py).
BOUND_STRANGERS = THROTTLES
#: Staff who work with money, and superusers, must have a second factor (accounts/second_factor.py).
STAFF_MFA = env.switch("STAFF_MFA", default=PRODUCTION)
MFA_ADAPTER = "accounts.second_factor.Adapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
#: A phone's clock may be half a minute off.
MFA_TOTP_TOLERANCE = 1
PASSWORD_HASHERS = ["accounts.hashers.Argon2", "accounts.hashers.PBKDF2"]
#: Passwords that one process hashes concurrently, each in 19 MiB; a few more requests wait, the
#: others are refused.
HASHING_AT_ONCE = env.number("HASHING_AT_ONCE", default=2, least=1, most=64)
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "accounts.passwords.LengthValidator"},
    {"NAME": "accounts.passwords.GuessableValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
REST_AUTH = {
    "USE_JWT": True,
    "TOKEN_MODEL": None,
    "SESSION_LOGIN": False,
    # Tokens are sent in the body; a refresh also returns the new refresh token.
    "JWT_AUTH_HTTPONLY": False,
    "OLD_PASSWORD_FIELD_ENABLED": True,
    "LOGOUT_ON_PASSWORD_CHANGE": True,
    "LOGIN_SERIALIZER": "accounts.serializers.LoginInput",
    "REGISTER_SERIALIZER": "accounts.serializers.RegistrationInput",
    "JWT_SERIALIZER": "accounts.token_serializers.SignedIn",
    "USER_DETAILS_SERIALIZER": "accounts.serializers.UserDetails",
    "PASSWORD_RESET_SERIALIZER": "accounts.serializers.PasswordResetInput",
    "PASSWORD_CHANGE_SERIALIZER": "accounts.serializers.PasswordChangeInput",
    "PASSWORD_RESET_CONFIRM_SERIALIZER": "accounts.serializers.PasswordResetConfirmInput",
}
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "email", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
#: The URL of the frontend, ours or another: links in e-mails lead there.
FRONTEND_URL = env.url(
    "FRONTEND_URL", read_base_url, default="http://127.0.0.1:8000/shop", wrong=_AN_ADDRESS
)
#: Seconds. A link also works only once.
PASSWORD_RESET_TIMEOUT = 3600
_mail = env.url(
    "EMAIL_URL",
    read_mail_url,
    default=read_mail_url("smtp://localhost:25" if PRODUCTION else "consolemail://"),
    wrong="must be like smtp+tls://user:password@host:587, with what is special in a password "
    "percent-encoded",
    may_be_empty=False,
)
EMAIL_BACKEND = _mail.backend
EMAIL_HOST = _mail.host
EMAIL_PORT = _mail.port
EMAIL_HOST_USER = _mail.user
EMAIL_HOST_PASSWORD = _mail.password
EMAIL_USE_TLS = _mail.use_tls
EMAIL_USE_SSL = _mail.use_ssl
#: The folder of filemail://, which saves each e-mail as a file.
EMAIL_FILE_PATH = _mail.folder
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.text("DEFAULT_FROM_EMAIL", default="O-Mache <hello@omache.example>")
#: The contact for questions, shown in e-mails about orders.
SHOP_CONTACT = env.text("SHOP_CONTACT")

#: What a page of the admin says next is kept in the session: in a cookie it would be lost with an
#: answer that does not arrive.
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"

#: A session ends after this many days without use.
SESSION_IDLE_DAYS = env.number("SESSION_IDLE_DAYS", default=14, least=1, most=90)
#: A session ends this many days after its log-in, however often its tokens are renewed.
SESSION_MAX_DAYS = env.number("SESSION_MAX_DAYS", default=90, least=1, most=365)
#: Staff are signed out of the admin and the API after this long without a request, and in any case
#: this many hours after their log-in.
STAFF_SESSION_IDLE_MINUTES = env.number(
    "STAFF_SESSION_IDLE_MINUTES", default=30, least=5, most=24 * 60
)
STAFF_SESSION_MAX_HOURS = env.number("STAFF_SESSION_MAX_HOURS", default=12, least=1, most=24 * 7)

#: Only for tokens: a different key from the one that signs sessions and reset links.
_JWT_KEY = hashlib.sha256(b"omache.jwt:" + SECRET_KEY.encode()).hexdigest()
SIMPLE_JWT = {
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=5),
    "REFRESH_TOKEN_LIFETIME": timedelta(days=SESSION_IDLE_DAYS),
    "ROTATE_REFRESH_TOKENS": True,
    "BLACKLIST_AFTER_ROTATION": True,
    "CHECK_REVOKE_TOKEN": True,
    "ALGORITHM": "HS256",
    "SIGNING_KEY": _JWT_KEY,
    "AUDIENCE": "omache",
    "ISSUER": "omache",
    "LEEWAY": 10,
    "UPDATE_LAST_LOGIN": False,
}

# --- API -------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["accounts.authentication.JWTAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_PARSER_CLASSES": ["omachemainproj.api.parsers.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["omachemainproj.api.renderers.JSONRenderer"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "omachemainproj.api.negotiation.ContentNegotiation",
    "DEFAULT_PAGINATION_CLASS": None,
    "DEFAULT_SCHEMA_CLASS": "omachemainproj.api.schema.OmacheSchema",
    "DEFAULT_THROTTLE_CLASSES": ["omachemainproj.api.throttles.ScopedThrottle"]
    if THROTTLES
    else [],
    "DEFAULT_THROTTLE_RATES": {
        # Per user or client. Thousands of people share an address at a Kenyan mobile operator, so
        # an address gets twenty times these rates, but only these where a secret can be tried
        # (api/throttles.py). accounts.lockout stops guessing at one name, after five tries.
        "login": "60/min",
        "registration": "20/min",
        "refresh": "300/min",
        "dj_rest_auth": "20/min",
        "account": "60/min",
        "browse": "600/min",
        "search": "60/min",
        # Requested while somebody types, every few letters.
        "suggest": "300/min",
        "create": "30/hour",
        # A seller at work, and their uploads of at most 1,000 rows each.
        "sell": "120/min",
        "import": "30/hour",
        "cashout": "10/min",
        # Requested again for each change of a cart or its destination.
        "quote": "60/min",
        "review": "30/min",
        # With up to three pictures, each of which takes a second to decode.
        "problem": "20/min",
        # An agent at a depot scans one parcel after the other.
        "move": "120/min",
        "deliveries": "120/min",
        "claim": "60/min",
        "poll": "120/min",
        # A user's own data: their profile, their orders.
        "read": "240/min",
        # All data stored about a user.
        "export": "6/hour",
        # Codes by SMS, requested and entered.
        "code": "30/min",
    },
    "EXCEPTION_HANDLER": "omachemainproj.api.handlers.answer_error",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "O-Mache",
    "DESCRIPTION": "A marketplace that sells what is there, and accounts for every shilling.",
    "VERSION": "1.0.0",
    "OAS_VERSION": "3.1.0",
    "SERVERS": [{"url": "/", "description": "This shop."}],
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "SCHEMA_PATH_PREFIX": r"/",
    # Enums of different fields with the same name, or of the same choices under two names.
    "ENUM_NAME_OVERRIDES": {
        "CategoryEnum": "products.models.Category",
        "ByEnum": "orders.models.Party",
        "TrackStatusEnum": "orders.models.TrackStatus",
        "ProblemKindEnum": "orders.models.ProblemKind",
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "products.catalogue.openapi.join_product_addresses",
        "payments.webhooks.openapi.describe_webhooks",
        "omachemainproj.api.description.complete",
    ],
}

#: Every path, even one that contains a line break.
CORS_URLS_REGEX = r""
#: Any header is allowed, for what tracing, caching or a framework adds: no cookie is accepted from
#: another origin, and only Authorization grants access. A star does not include Authorization, and
#: some clients do not know the star, so headers are listed too.
CORS_ALLOW_HEADERS = [
    "accept",
    "accept-language",
    "authorization",
    "baggage",
    "cache-control",
    "client-id",
    "content-language",
    "content-type",
    "idempotency-key",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-unmodified-since",
    "pragma",
    "prefer",
    "range",
    "sentry-trace",
    "token-transport",
    "traceparent",
    "tracestate",
    "user-agent",
    "x-csrftoken",
    "x-request-id",
    "x-requested-with",
    "*",
]
#: Response headers of ours that a page of another origin cannot read by default.
CORS_EXPOSE_HEADERS = [
    "Allow",
    "Content-Disposition",
    "Content-Language",
    "Content-Range",
    "ETag",
    "Idempotent-Replayed",
    "Link",
    "Location",
    "Preference-Applied",
    "Retry-After",
    "Search-Corrected",
    "Unread-Count",
    "WWW-Authenticate",
    "X-Request-ID",
]
CORS_PREFLIGHT_MAX_AGE = 3600

#: The largest bodies we read, in bytes. The parser limits JSON, their fields limit pictures.
JSON_BODY_MAX = 64 * 1024
CSV_BODY_MAX = 2 * 1024 * 1024
MULTIPART_BODY_MAX = 13 * 1024 * 1024
DATA_UPLOAD_MAX_MEMORY_SIZE = 256 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 200
DATA_UPLOAD_MAX_NUMBER_FILES = 5
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
FILE_UPLOAD_HANDLERS = [
    "omachemainproj.bodies.ClosedForms",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]
FILE_UPLOAD_PERMISSIONS = 0o644

# --- Files -----------------------------------------------------------------------------------

STATIC_URL = "/static/"
#: Built by `make shop`. Without it the shop's pages say so; the API does not need it.
STOREFRONT_BUILD = BASE_DIR / "storefront" / "dist"
STATICFILES_DIRS = [("shop", str(STOREFRONT_BUILD))]
STATIC_ROOT = Path(env.text("STATIC_ROOT", default=str(BASE_DIR / "staticfiles")))
MEDIA_URL = "/media/"
MEDIA_ROOT = Path(env.text("MEDIA_ROOT", default=str(BASE_DIR / "media")))
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if PRODUCTION
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
#: Files with a hash in their name, in Django's or Vite's format, never change.
WHITENOISE_IMMUTABLE_FILE_TEST = (
    r"^/static/(?:.+\.[0-9a-f]{12}\.[a-z0-9]+|shop/assets/[^/]+-[\w-]{8}\.[a-z0-9]+)$"
)
WHITENOISE_AUTOREFRESH = DEBUG
WHITENOISE_USE_FINDERS = DEBUG

# --- Transport and headers -------------------------------------------------------------------

SECURE_SSL_REDIRECT = HTTPS
#: For how long browsers refuse this host without https: an hour, until you are sure of more.
#: ``preload`` includes all subdomains, and is practically permanent: browsers ship the list.
HSTS = env.choice("HSTS", among=("hour", "day", "year", "preload"), default="hour")
SECURE_HSTS_SECONDS = (
    {"hour": 3600, "day": 86400, "year": 31536000, "preload": 63072000}[HSTS] if HTTPS else 0
)
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS and HSTS == "preload"
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXIES else None
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Strict"
#: The cookie lasts as long as the session can; the session itself says when it is over.
SESSION_COOKIE_AGE = STAFF_SESSION_MAX_HOURS * 3600
CSRF_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SAMESITE = "Strict"
#: A browser's refresh token, and the random name of the browser it is bound to (accounts.cookies).
REFRESH_COOKIE_NAME = "refresh"
CLIENT_COOKIE_NAME = "client"
if HTTPS:
    # Browsers let only this host itself set a cookie with this prefix.
    SESSION_COOKIE_NAME = "__Host-sessionid"
    CSRF_COOKIE_NAME = "__Host-csrftoken"
    CLIENT_COOKIE_NAME = "__Host-client"
    # It has a path, which that prefix forbids; it gives no access without the client cookie.
    REFRESH_COOKIE_NAME = "__Secure-refresh"
#: Sent with every response (RequestIdMiddleware); a page that needs more sets its own.
CONTENT_SECURITY_POLICY = (
    "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
    "object-src 'none'"
)
#: Load balancers and Prometheus use plain http.
SECURE_REDIRECT_EXEMPT = [r"^livez/$", r"^metrics/$", r"^readyz/(clock/)?$"]
SILENCED_SYSTEM_CHECKS: list[str] = [
    # A storefront that was not built has no folder of files.
    "staticfiles.W004",
    # The middleware that the admin needs is in PAGES_MIDDLEWARE.
    "admin.E408",
    "admin.E409",
    "admin.E410",
]
if HSTS != "preload":
    SILENCED_SYSTEM_CHECKS += ["security.W005", "security.W021"]
if not HTTPS:
    # Only a rehearsal on a loopback address gets here in production (see production.py).
    SILENCED_SYSTEM_CHECKS += ["security.W004", "security.W008", "security.W012", "security.W016"]

# --- Logs, metrics, alerts -----------------------------------------------------------------------

#: Whether each request is logged, in one line.
ACCESS_LOG = env.switch("ACCESS_LOG", default=PRODUCTION)
#: The token that grants access to `/metrics/`; empty: only this machine's own addresses have it.
METRICS_TOKEN = env.secret("METRICS_TOKEN")
#: The folder of metrics shared by the web, clock and worker processes of a machine. If empty,
#: gunicorn creates one for its own processes.
METRICS_DIR = env.text("METRICS_DIR")
#: The deployed release: a tag or a commit.
RELEASE = env.text("RELEASE") or read_release(BASE_DIR) or "unnamed"
#: The address mailed once about each incident, and once when it ends. Empty: none.
ALERT_EMAIL = env.text("ALERT_EMAIL")
#: Hours, in Nairobi, in which the clock may start the nightly integrity check; once started, it
#: runs to the end.
PROOF_HOURS = range(1, 5)
#: Seconds a process caches whether the clock and the workers are running.
HEARTBEATS_MAX_AGE: float | None = 5.0

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"private": {"()": "omachemainproj.logs.PrivateFilter"}},
    "formatters": {
        "plain": {"()": "omachemainproj.logs.PlainFormatter"},
        "json": {"()": "omachemainproj.logs.JSONFormatter"},
        "access": {"()": "omachemainproj.access.JSONLine"},
    },
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": "json" if PRODUCTION else "plain",
            "filters": ["private"],
        },
        # It contains no path, no user and nothing chosen by a client: there is nothing to mask.
        "access": {
            "class": "logging.StreamHandler",
            "formatter": "access" if PRODUCTION else "plain",
            "filters": [] if PRODUCTION else ["private"],
        },
    },
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {
        "django": {"handlers": [], "propagate": True, "level": "INFO"},
        # runserver's own request log would bypass the filter above.
        "django.server": {"handlers": ["console"], "propagate": False, "level": "WARNING"},
        "django.utils.autoreload": {"level": "WARNING"},
        "omache.access": {"handlers": ["access"], "propagate": False, "level": "INFO"},
        "urllib3": {"level": "WARNING"},
    },
}

# --- Start, or report the problems -----------------------------------------------------------

#: The names of the variables that are set: production requires some, and all are logged at start.
GIVEN_SETTINGS = env.given()
env.refuse_unknown("DARAJA_", "EQUITY_", "AFRICASTALKING_")
for _name, _sentence in find_problems(globals(), env.is_in_trouble):
    env.refuse(_name, _sentence)
env.refuse_problems()
