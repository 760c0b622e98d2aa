"""Which other origins may call the API from a browser, and with which headers (CORS)."""

from omachemainproj.service_urls import read_origin

from .base import PRODUCTION, env

CORS_ALLOWED_ORIGINS = env.entries(
    "CORS_ALLOWED_ORIGINS",
    lambda text: text if text == "*" else read_origin(text),
    default=[]
    if PRODUCTION
    else [f"http://{host}:{port}" for host in ("localhost", "127.0.0.1") for port in (3000, 5173)],
    wrong="origins like https://shop.example.co.ke, without a path",
)

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
