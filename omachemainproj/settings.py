"""Every setting of O-Mache, read from the environment.

Without ``DJANGO_SECRET_KEY`` this is a laptop: debug on, localhost only, SQLite, the simulator
as M-Pesa. With it, this is production: what is missing or dangerous stops the start with one
sentence. ``.env.example`` explains each variable; a ``.env`` file beside ``manage.py`` is read.
"""

import hashlib
import os
import re
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

from omachemainproj.mpesa_limits import MAX_B2C

BASE_DIR = Path(__file__).resolve().parent.parent

env = environ.FileAwareEnv()
env.read_env(BASE_DIR / os.environ.get("OMACHE_ENV_FILE", ".env"))


def _switch(name: str, *, default: bool) -> bool:
    """``on`` or ``off``; a misspelt word stops the start and does not mean off."""
    word = env.str(name, default="on" if default else "off").strip().lower()
    if word not in {"on", "off", "true", "false", "yes", "no", "1", "0"}:
        raise ImproperlyConfigured(f"{name} is on or off, not {word}.")
    return word in {"on", "true", "yes", "1"}


def _number(name: str, *, default: int, least: int = 0) -> int:
    text = env.str(name, default=str(default)).strip()
    if not (text.isascii() and text.isdigit() and int(text) >= least):
        raise ImproperlyConfigured(f"{name} is a whole number from {least}, not {text}.")
    return int(text)


def _percent(name: str) -> Decimal:
    """0 to 99.99, with at most two decimals, as people write a rate: ``5`` or ``2.5``."""
    text = env.str(name, default="0").strip()
    if not re.fullmatch(r"[0-9]{1,2}(\.[0-9]{1,2})?", text):
        raise ImproperlyConfigured(f"{name} is a percentage from 0 to 99.99, not {text}.")
    return Decimal(text)


def _choice(name: str, *, among: tuple[str, ...], default: str) -> str:
    word = env.str(name, default=default).strip().lower()
    if word not in among:
        raise ImproperlyConfigured(f"{name} is one of {', '.join(among)}, not {word}.")
    return word


def _is_loopback(url: str) -> bool:
    return urlsplit(url).hostname in {"127.0.0.1", "localhost", "::1"}


# --- Laptop or production -------------------------------------------------------------------

SECRET_KEY = env.str("DJANGO_SECRET_KEY", default="")
PRODUCTION = bool(SECRET_KEY)
DEBUG = not PRODUCTION
if not PRODUCTION:
    SECRET_KEY = "laptop-only-" + hashlib.sha256(str(BASE_DIR).encode()).hexdigest()

HTTPS = _switch("HTTPS", default=PRODUCTION)
THROTTLES = _switch("THROTTLES", default=PRODUCTION)
#: How many proxies of ours stand in front; the client's address is read from the last of them.
TRUSTED_PROXIES = _number("TRUSTED_PROXIES", default=0)

ALLOWED_HOSTS = env.list("DJANGO_ALLOWED_HOSTS", default=[])
CORS_ALLOWED_ORIGINS = env.list(
    "CORS_ALLOWED_ORIGINS",
    default=[]
    if PRODUCTION
    else [f"http://{host}:{port}" for host in ("localhost", "127.0.0.1") for port in (3000, 5173)],
)
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

# --- The shop's policy -----------------------------------------------------------------------

ORDER_HOLD_MINUTES = _number("ORDER_HOLD_MINUTES", default=15, least=1)
#: Of what is sold from now on; each line keeps what was agreed when it was sold.
COMMISSION_PERCENT = _percent("COMMISSION_PERCENT")
#: Shipped goods count as delivered after this many days without an answer from their buyer.
DELIVERY_CONFIRM_DAYS = _number("DELIVERY_CONFIRM_DAYS", default=7, least=1)
#: What may be paid out to sellers in one day, KES. At least M-Pesa's largest payment.
PAYOUT_DAILY_LIMIT = _number("PAYOUT_DAILY_LIMIT", default=1_000_000, least=MAX_B2C)
#: A payout above this, KES, waits for the approval of a second person.
PAYOUT_APPROVAL_ABOVE = _number("PAYOUT_APPROVAL_ABOVE", default=50_000)

# --- M-Pesa ----------------------------------------------------------------------------------

#: On a laptop: the simulator's default values.
_SIMULATED = {
    "DARAJA_BASE_URL": "http://127.0.0.1:8001",
    "DARAJA_CALLBACK_BASE_URL": "http://127.0.0.1:8000",
    "DARAJA_CONSUMER_KEY": "simulator-key",
    "DARAJA_CONSUMER_SECRET": "simulator-secret",
    "DARAJA_SHORTCODE": "174379",
    "DARAJA_PASSKEY": "simulator-passkey",
}


def _daraja(name: str) -> str:
    return env.str(name, default="" if PRODUCTION else _SIMULATED[name])


DARAJA_BASE_URL = _daraja("DARAJA_BASE_URL").rstrip("/")
DARAJA_CALLBACK_BASE_URL = _daraja("DARAJA_CALLBACK_BASE_URL").rstrip("/")
DARAJA_CONSUMER_KEY = _daraja("DARAJA_CONSUMER_KEY")
DARAJA_CONSUMER_SECRET = _daraja("DARAJA_CONSUMER_SECRET")
DARAJA_SHORTCODE = _daraja("DARAJA_SHORTCODE")
DARAJA_PASSKEY = _daraja("DARAJA_PASSKEY")
DARAJA_TRANSACTION_TYPE = env.str("DARAJA_TRANSACTION_TYPE", default="CustomerPayBillOnline")
DARAJA_PARTY_B = env.str("DARAJA_PARTY_B", default="")
DARAJA_CALLBACK_IPS = env.list("DARAJA_CALLBACK_IPS", default=[])
#: Status queries a minute, by all workers together: as many as the sandbox was seen to allow.
DARAJA_QUERIES_A_MINUTE = _number("DARAJA_QUERIES_A_MINUTE", default=5, least=1)

#: The secret part of the URLs that receive C2B payments to the pay bill; empty: no such URLs.
DARAJA_C2B_TOKEN = env.str("DARAJA_C2B_TOKEN", default="" if PRODUCTION else "laptop-only")
#: Whether M-Pesa's statement may be read (Pull Transactions, registered for the pay bill).
DARAJA_STATEMENT = _switch("DARAJA_STATEMENT", default=not PRODUCTION)
#: The initiator of B2C payments and reversals; empty: refunds wait for a person.
DARAJA_B2C_SHORTCODE = env.str("DARAJA_B2C_SHORTCODE", default="" if PRODUCTION else "600000")
DARAJA_INITIATOR_NAME = env.str("DARAJA_INITIATOR_NAME", default="" if PRODUCTION else "simulator")
DARAJA_INITIATOR_PASSWORD = env.str(
    "DARAJA_INITIATOR_PASSWORD", default="" if PRODUCTION else "simulator-password"
)
#: The PEM file of the certificate under which the initiator's password is encrypted.
DARAJA_CERTIFICATE = env.str("DARAJA_CERTIFICATE", default="")

# --- Banks -----------------------------------------------------------------------------------

#: The credentials of Equity Bank's notifications (IPN); no password: no such URL.
EQUITY_IPN_USERNAME = env.str("EQUITY_IPN_USERNAME", default="")
EQUITY_IPN_PASSWORD = env.str("EQUITY_IPN_PASSWORD", default="")
#: The pay bill of Equity, and what a buyer types there as account number: {reference} stands for
#: the order's. Shown to buyers where it is set.
EQUITY_PAY_BILL = env.str("EQUITY_PAY_BILL", default="247247")
EQUITY_ACCOUNT = env.str("EQUITY_ACCOUNT", default="")


# --- Notifications ---------------------------------------------------------------------------

#: Who sends SMS: nobody, the log of a laptop, or Africa's Talking.
SMS = _choice(
    "SMS", among=("off", "console", "africastalking"), default="off" if PRODUCTION else "console"
)
AFRICASTALKING_USERNAME = env.str("AFRICASTALKING_USERNAME", default="")
AFRICASTALKING_API_KEY = env.str("AFRICASTALKING_API_KEY", default="")
#: The registered short code or name that an SMS comes from; empty: Africa's Talking's own.
AFRICASTALKING_SENDER_ID = env.str("AFRICASTALKING_SENDER_ID", default="")
AFRICASTALKING_BASE_URL = env.str(
    "AFRICASTALKING_BASE_URL", default="https://api.africastalking.com"
).rstrip("/")


def _sms_fault() -> str | None:
    """What is wrong with the settings of SMS, as one sentence, or None."""
    account = {
        "AFRICASTALKING_USERNAME": AFRICASTALKING_USERNAME,
        "AFRICASTALKING_API_KEY": AFRICASTALKING_API_KEY,
    }
    missing = [name for name, is_set in account.items() if not is_set]
    faults = {
        f"set {', '.join(missing)} too: SMS is africastalking.": (
            SMS == "africastalking" and bool(missing)
        ),
        "AFRICASTALKING_API_KEY is set: set SMS to africastalking too, or neither.": (
            SMS != "africastalking" and bool(AFRICASTALKING_API_KEY)
        ),
        "AFRICASTALKING_SENDER_ID is a short code or a name of 1 to 11 letters and digits.": (
            bool(AFRICASTALKING_SENDER_ID)
            and not re.fullmatch("[0-9A-Za-z _-]{1,11}", AFRICASTALKING_SENDER_ID)
        ),
        "AFRICASTALKING_BASE_URL must start with https://: the API key travels to it.": (
            not _is_loopback(AFRICASTALKING_BASE_URL)
            and not AFRICASTALKING_BASE_URL.startswith("https://")
        ),
        "SMS=console is for a laptop: it writes collection codes to the log.": (
            PRODUCTION and SMS == "console"
        ),
    }
    return next((sentence for sentence, is_so in faults.items() if is_so), None)


if _sentence := _sms_fault():
    raise ImproperlyConfigured(_sentence)


def _missing() -> list[str]:
    needed = {"DJANGO_ALLOWED_HOSTS": bool(ALLOWED_HOSTS)}
    needed.update({name: bool(_daraja(name)) for name in _SIMULATED})
    if DARAJA_TRANSACTION_TYPE == "CustomerBuyGoodsOnline":
        needed["DARAJA_PARTY_B"] = bool(DARAJA_PARTY_B)
    return [name for name, is_there in needed.items() if not is_there]


def _missing_of_initiator() -> list[str]:
    """The settings of the initiator that are missing, where some are set."""
    needed = {
        "DARAJA_B2C_SHORTCODE": DARAJA_B2C_SHORTCODE,
        "DARAJA_INITIATOR_NAME": DARAJA_INITIATOR_NAME,
        "DARAJA_INITIATOR_PASSWORD": DARAJA_INITIATOR_PASSWORD,
        "DARAJA_CERTIFICATE": DARAJA_CERTIFICATE,
    }
    return [name for name, is_set in needed.items() if not is_set] if any(needed.values()) else []


def _refuse_to_start() -> str | None:
    """Why production must not start, as one sentence, or None."""
    missing, rehearsal = _missing(), _is_loopback(DARAJA_CALLBACK_BASE_URL)
    faults = {
        "DJANGO_SECRET_KEY is too weak: give it at least 50 random characters.": (
            len(SECRET_KEY) < 50 or len(set(SECRET_KEY)) < 5
        ),
        f"set {', '.join(missing)}: DJANGO_SECRET_KEY is set, so this is production.": (
            bool(missing)
        ),
        "DJANGO_ALLOWED_HOSTS must name the hosts; * would let anyone forge links.": (
            "*" in ALLOWED_HOSTS
        ),
        "CORS_ALLOWED_ORIGINS must name the frontends; * is not an origin.": (
            "*" in CORS_ALLOWED_ORIGINS
        ),
        "DARAJA_CALLBACK_BASE_URL must start with https://: Safaricom calls nothing else.": (
            not rehearsal and not DARAJA_CALLBACK_BASE_URL.startswith("https://")
        ),
        "DARAJA_BASE_URL must start with https:// when callbacks come from the internet.": (
            not rehearsal and not DARAJA_BASE_URL.startswith("https://")
        ),
        f"set {', '.join(_missing_of_initiator())} too, or none of the initiator's settings.": (
            bool(_missing_of_initiator())
        ),
        f"DARAJA_CERTIFICATE must be a file that can be read; {DARAJA_CERTIFICATE} is not.": (
            bool(DARAJA_CERTIFICATE) and not os.access(DARAJA_CERTIFICATE, os.R_OK)
        ),
        "DARAJA_C2B_TOKEN must be at least 16 small letters and digits: nobody may guess it.": (
            bool(DARAJA_C2B_TOKEN) and not re.fullmatch("[0-9a-z]{16,64}", DARAJA_C2B_TOKEN)
        ),
        "EQUITY_IPN_PASSWORD must be at least 16 characters, and EQUITY_IPN_USERNAME set.": (
            bool(EQUITY_IPN_PASSWORD) and (len(EQUITY_IPN_PASSWORD) < 16 or not EQUITY_IPN_USERNAME)
        ),
        "HTTPS=off only rehearses production: DARAJA_CALLBACK_BASE_URL must be loopback then.": (
            not rehearsal and not HTTPS
        ),
    }
    return next((sentence for sentence, is_so in faults.items() if is_so), None)


if PRODUCTION and (_sentence := _refuse_to_start()):
    raise ImproperlyConfigured(_sentence)

# --- Applications ----------------------------------------------------------------------------

INSTALLED_APPS = [
    "django.contrib.admin",
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
    "dj_rest_auth",
    "dj_rest_auth.registration",
    "django_filters",
    "corsheaders",
    "axes",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "import_export",
    "omachemainproj",
    "accounts",
    "products",
    "orders",
    "payments",
]

MIDDLEWARE = [
    "omachemainproj.middleware.EdgeMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "omachemainproj.urls"
WSGI_APPLICATION = "omachemainproj.wsgi.application"
#: A 301 would lose a POST body; EdgeMiddleware reads both spellings instead.
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
USE_TZ = True

# --- Database: always the truth --------------------------------------------------------------

DATABASES: dict[str, dict[str, Any]] = {
    "default": env.db("DATABASE_URL", default=f"sqlite:///{BASE_DIR / 'db.sqlite3'}")
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
_database = DATABASES["default"]
if "sqlite" in _database["ENGINE"]:
    _database["OPTIONS"] = {
        # Every atomic block takes the write lock at once: a read followed by a write inside it
        # is safe, and two writers wait instead of failing with "database is locked".
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": (
            "PRAGMA journal_mode=WAL;PRAGMA synchronous=NORMAL;PRAGMA foreign_keys=ON;"
        ),
    }
else:
    #: At least gunicorn's threads; a process never asks for more connections than this.
    _database["OPTIONS"] = {
        "pool": {
            "min_size": 1,
            "max_size": _number("DATABASE_POOL_SIZE", default=8, least=1),
            "timeout": 5,
            "max_lifetime": 1800,
            "max_idle": 300,
        },
        # No statement, lock or forgotten transaction may hold the shop up (milliseconds).
        "options": (
            "-c statement_timeout=5000 -c lock_timeout=3000"
            " -c idle_in_transaction_session_timeout=10000"
        ),
    }
    # Django's own backend, but that it sees dead connections without asking the server.
    _database["ENGINE"] = "omachemainproj.postgresql"
    _database["CONN_MAX_AGE"] = 0

# --- Cache: speed and rate limits, never money ------------------------------------------------

CACHE_URL = env.str("CACHE_URL", default="")
CACHES: dict[str, dict[str, Any]] = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": CACHE_URL,
        "OPTIONS": {"socket_connect_timeout": 1, "socket_timeout": 1},
    }
    if CACHE_URL
    else {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "LOCATION": "omache",
        # Django's 300 would throw counters away while they count.
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    }
}

# --- Tasks: none without a broker; then they run in the process after commit ------------------

CELERY_BROKER_URL = env.str("CELERY_BROKER_URL", default="")
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_TIME_LIMIT = 120
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
#: A broker that is down must not hold a request up: the clock finds the work again.
CELERY_BROKER_TRANSPORT_OPTIONS = {"socket_connect_timeout": 1, "max_retries": 0}
CELERY_TASK_PUBLISH_RETRY = False
CELERY_TIMEZONE = TIME_ZONE
CELERY_BEAT_SCHEDULE = {
    "clock": {"task": "payments.tasks.tick", "schedule": 10.0, "options": {"expires": 10}},
    "housekeeping": {"task": "payments.tasks.housekeep", "schedule": 24 * 3600.0},
}

# --- People ----------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "accounts.backends.UsernameOrEmailBackend",
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}", "OPTIONS": options}
    for name, options in [
        ("UserAttributeSimilarityValidator", {}),
        ("MinimumLengthValidator", {"min_length": 8}),
        ("CommonPasswordValidator", {}),
        ("NumericPasswordValidator", {}),
    ]
]
REST_AUTH = {
    "USE_JWT": True,
    "TOKEN_MODEL": None,
    "SESSION_LOGIN": False,
    # Tokens travel in the body; a refresh answers with the new refresh token too.
    "JWT_AUTH_HTTPONLY": False,
    "OLD_PASSWORD_FIELD_ENABLED": True,
    "LOGOUT_ON_PASSWORD_CHANGE": True,
    "LOGIN_SERIALIZER": "accounts.serializers.LoginInput",
    "REGISTER_SERIALIZER": "accounts.serializers.RegistrationInput",
    "JWT_SERIALIZER": "accounts.serializers.SignedIn",
    "USER_DETAILS_SERIALIZER": "accounts.serializers.UserOutput",
    "PASSWORD_RESET_SERIALIZER": "accounts.serializers.PasswordResetInput",
    "PASSWORD_CHANGE_SERIALIZER": "accounts.serializers.PasswordChangeInput",
    "PASSWORD_RESET_CONFIRM_SERIALIZER": "accounts.serializers.PasswordResetConfirmInput",
}
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "email", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
#: Where the frontend asks for the new password; the e-mail's link leads there.
FRONTEND_URL = env.str("FRONTEND_URL", default="http://localhost:5173").rstrip("/")
#: The link works once, and for an hour.
PASSWORD_RESET_TIMEOUT = 3600
_email = env.email_url(
    "EMAIL_URL", default="consolemail://" if not PRODUCTION else "smtp://localhost:25"
)
EMAIL_BACKEND = _email["EMAIL_BACKEND"]
EMAIL_HOST = _email["EMAIL_HOST"]
EMAIL_PORT = _email["EMAIL_PORT"]
EMAIL_HOST_USER = _email["EMAIL_HOST_USER"]
EMAIL_HOST_PASSWORD = _email["EMAIL_HOST_PASSWORD"]
EMAIL_USE_TLS = _email.get("EMAIL_USE_TLS", False)
EMAIL_USE_SSL = _email.get("EMAIL_USE_SSL", False)
#: The folder of filemail://, which keeps each e-mail as a file.
EMAIL_FILE_PATH = _email["EMAIL_FILE_PATH"]
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="O-Mache <hello@omache.example>")

#: Signs tokens only, so that it is not the key that signs sessions and reset links.
_JWT_KEY = hashlib.sha256(b"omache.jwt:" + SECRET_KEY.encode()).hexdigest()
SIMPLE_JWT = {
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=5),
    "REFRESH_TOKEN_LIFETIME": timedelta(days=14),
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

AXES_ENABLED = THROTTLES
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=5)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_USERNAME_CALLABLE = "accounts.lockout.lockout_name"
AXES_RESET_ON_SUCCESS = True
AXES_LOCKOUT_CALLABLE = "accounts.lockout.answer_lockout"
AXES_DISABLE_ACCESS_LOG = True
AXES_VERBOSE = False

# --- API -------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["accounts.authentication.JWTAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_PARSER_CLASSES": ["omachemainproj.api.parsers.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["omachemainproj.api.renderers.JSONRenderer"],
    "DEFAULT_PAGINATION_CLASS": None,
    "DEFAULT_SCHEMA_CLASS": "omachemainproj.api.schema.OmacheSchema",
    "DEFAULT_THROTTLE_CLASSES": ["omachemainproj.api.throttles.ScopedThrottle"]
    if THROTTLES
    else [],
    "DEFAULT_THROTTLE_RATES": {
        # Per address, and thousands of people share one at a Kenyan mobile operator: guessing at
        # one name is stopped by AXES_* below, after five tries.
        "login": "60/min",
        "registration": "20/min",
        "refresh": "300/min",
        "dj_rest_auth": "20/min",
        "account": "60/min",
        "browse": "600/min",
        "search": "60/min",
        "create": "30/hour",
        # A seller at work, and what they upload: 1,000 rows at most each time.
        "sell": "120/min",
        "import": "30/hour",
        "cashout": "10/min",
        "review": "30/min",
        # An agent at a depot scans one parcel after the other.
        "move": "120/min",
        "poll": "120/min",
    },
    "EXCEPTION_HANDLER": "omachemainproj.api.handlers.answer_error",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "O-Mache",
    "DESCRIPTION": "A marketplace that sells what is there, and accounts for every shilling.",
    "VERSION": "1.0.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "SCHEMA_PATH_PREFIX": r"/",
}

CORS_ALLOW_HEADERS = [
    "accept",
    "authorization",
    "content-type",
    "idempotency-key",
    "if-none-match",
]
CORS_EXPOSE_HEADERS = ["Link", "ETag", "Retry-After", "Idempotent-Replayed", "X-Request-ID"]
CORS_PREFLIGHT_MAX_AGE = 3600

#: Largest bodies we read, in bytes. JSON is capped by its parser, pictures by their field.
JSON_BODY_MAX = 64 * 1024
CSV_BODY_MAX = 2 * 1024 * 1024
MULTIPART_BODY_MAX = 13 * 1024 * 1024
DATA_UPLOAD_MAX_MEMORY_SIZE = 256 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 200
DATA_UPLOAD_MAX_NUMBER_FILES = 5
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
FILE_UPLOAD_PERMISSIONS = 0o644

# --- Files -----------------------------------------------------------------------------------

STATIC_URL = "/static/"
STATIC_ROOT = Path(env.str("STATIC_ROOT", default=str(BASE_DIR / "staticfiles")))
MEDIA_URL = "/media/"
MEDIA_ROOT = Path(env.str("MEDIA_ROOT", default=str(BASE_DIR / "media")))
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if PRODUCTION
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
WHITENOISE_AUTOREFRESH = DEBUG
WHITENOISE_USE_FINDERS = DEBUG

# --- Transport and headers -------------------------------------------------------------------

SECURE_SSL_REDIRECT = HTTPS
SECURE_HSTS_SECONDS = 31536000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_HSTS_PRELOAD = HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXIES else None
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Strict"
SESSION_COOKIE_AGE = 8 * 3600
CSRF_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SAMESITE = "Strict"
if HTTPS:
    # A browser lets nobody but this very host set a cookie with this prefix.
    SESSION_COOKIE_NAME = "__Host-sessionid"
    CSRF_COOKIE_NAME = "__Host-csrftoken"
#: Said with every answer (EdgeMiddleware); a page that needs more says so itself.
CONTENT_SECURITY_POLICY = (
    "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
    "object-src 'none'"
)
#: A load balancer asks over plain http.
SECURE_REDIRECT_EXEMPT = [r"^livez/$", r"^readyz/$"]
SILENCED_SYSTEM_CHECKS: list[str] = [] if HTTPS else ["security.W004", "security.W008"]
if not HTTPS:
    # Only a rehearsal on a loopback address gets here in production (see _refuse_to_start).
    SILENCED_SYSTEM_CHECKS += ["security.W012", "security.W016"]

# --- Logs ------------------------------------------------------------------------------------

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"private": {"()": "omachemainproj.logs.PrivateFilter"}},
    "formatters": {
        "plain": {"format": "{asctime} {levelname} {name} [{request_id}] {message}", "style": "{"},
        "json": {"()": "omachemainproj.logs.JSONFormatter"},
    },
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": "json" if PRODUCTION else "plain",
            "filters": ["private"],
        }
    },
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {
        "django": {"handlers": [], "propagate": True, "level": "INFO"},
        # runserver's own line for each request would bypass the filter above.
        "django.server": {"handlers": ["console"], "propagate": False, "level": "WARNING"},
        "django.utils.autoreload": {"level": "WARNING"},
        "axes": {"level": "WARNING"},
        "urllib3": {"level": "WARNING"},
    },
}
