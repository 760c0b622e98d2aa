"""What every request passes through, in this order."""

MIDDLEWARE = [
    "omachemainproj.middleware.RequestIdMiddleware",
    # Before any middleware that may refuse: without CORS headers a page only sees "network error".
    "corsheaders.middleware.CorsMiddleware",
    "omachemainproj.http_caching.HttpCachingMiddleware",
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
#: A 301 would lose a POST body; EdgeMiddleware accepts both spellings instead.
APPEND_SLASH = False
