"""Hosts, origins, HTTPS, cookies and security headers."""

from omachemainproj.service_urls import read_allowed_host, read_origin

from .authentication import STAFF_SESSION_MAX_HOURS
from .base import HTTPS, THROTTLES, TRUSTED_PROXIES, env

ALLOWED_HOSTS = env.entries(
    "DJANGO_ALLOWED_HOSTS",
    read_allowed_host,
    wrong="host names like api.example.co.ke, without scheme, port or path",
)
CSRF_TRUSTED_ORIGINS = env.entries(
    "CSRF_TRUSTED_ORIGINS",
    lambda text: read_origin(text, may_be_wild=True),
    wrong="origins like https://api.example.co.ke, without a path",
)

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
#: The admin keeps messages in the session: in a cookie they would be lost with a response that
#: does not arrive.
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
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
#: Limit how much is stored of posts to unknown webhook URLs (payments/webhooks/strangers.py).
BOUND_STRANGERS = THROTTLES
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
    # Only a rehearsal on a loopback address gets here in production (checks/production.py).
    SILENCED_SYSTEM_CHECKS += [
        *("security.W004", "security.W008", "security.W010", "security.W012", "security.W016")
    ]
