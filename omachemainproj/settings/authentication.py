"""Users, passwords, second factors, codes by phone, tokens and sessions."""

import hashlib
from datetime import timedelta

from .base import PRODUCTION, SECRET_KEY, THROTTLES, env

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["accounts.backends.UsernameOrEmailBackend"]
PASSWORD_HASHERS = ["accounts.hashers.Argon2", "accounts.hashers.PBKDF2"]
#: Passwords that one process hashes concurrently, each in 19 MiB; a few more requests wait, the
#: others are refused.
HASHING_AT_ONCE = env.number("HASHING_AT_ONCE", default=2, least=1, most=64)
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "accounts.passwords.LengthValidator"},
    {"NAME": "accounts.passwords.GuessableValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
#: Seconds. A link also works only once.
PASSWORD_RESET_TIMEOUT = 3600
#: Lock out log-ins and codes after too many failures (accounts/lockout.py).
LOCKOUT = THROTTLES
#: Staff who work with money, and superusers, must have a second factor (accounts/second_factor.py).
STAFF_MFA = env.switch("STAFF_MFA", default=PRODUCTION)
MFA_ADAPTER = "accounts.second_factor.Adapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
#: A phone's clock may be half a minute off.
MFA_TOTP_TOLERANCE = 1

#: Whether users may sign in and register by phone, with codes sent by SMS.
PHONE_LOGIN = env.switch("PHONE_LOGIN", default=not PRODUCTION)
#: Codes that one network may request in an hour (in a day, five times as many), and codes that the
#: shop sends in a day in total: each costs money.
PHONE_CODES_A_NETWORK = env.number("PHONE_CODES_A_NETWORK", default=120, least=1, most=100_000)
PHONE_CODES_A_DAY = env.number("PHONE_CODES_A_DAY", default=5_000, least=1, most=10_000_000)
#: Whether people may cash out with only a phone number, without an account. An account that then
#: proves that phone with a code takes over the order (orders.joining).
GUEST_CHECKOUT = env.switch("GUEST_CHECKOUT", default=PHONE_LOGIN and not PRODUCTION)
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
#: Where a log-in without ``next`` leads; Django's own is a page that does not exist here.
LOGIN_REDIRECT_URL = "admin:index"
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "email", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"

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
