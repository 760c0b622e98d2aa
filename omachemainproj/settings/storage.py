"""Static files, the storefront's build, and uploaded media."""

from .base import BASE_DIR, DEBUG, PRODUCTION, env

STATIC_URL = "/static/"
#: Built by `make shop`. Without it the shop's pages say so; the API does not need it.
STOREFRONT_BUILD = BASE_DIR / "storefront" / "dist"
STATICFILES_DIRS = [("shop", str(STOREFRONT_BUILD))]
#: A relative folder is beside manage.py, wherever a process was started.
STATIC_ROOT = BASE_DIR / env.text("STATIC_ROOT", default="staticfiles")
MEDIA_URL = "/media/"
MEDIA_ROOT = BASE_DIR / env.text("MEDIA_ROOT", default="media")
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
