"""The web process: ``gunicorn omachemainproj.wsgi``."""

import os
import sys

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "omachemainproj.settings")

from django.core.exceptions import ImproperlyConfigured
from django.core.wsgi import get_wsgi_application

from .starting import log_start

try:
    application = get_wsgi_application()
except ImproperlyConfigured as error:
    # One sentence for the person at the terminal; a traceback would bury it.
    sys.exit(f"O-Mache cannot start: {error}")

log_start("web")
