"""The web process: ``gunicorn omachemainproj.wsgi``."""

import os
import sys

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "omachemainproj.settings")

import django
from django.core.exceptions import ImproperlyConfigured
from django.urls import get_resolver

from .startup_checks import check_before_start, log_start
from .wsgi_handler import Utf8Handler

try:
    django.setup(set_prefix=False)
    # Loads the middleware, which needs the apps.
    application = Utf8Handler()
    check_before_start("web")
except ImproperlyConfigured as error:
    # One sentence for the person at the terminal; a traceback would bury it.
    sys.exit(f"O-Mache cannot start: {error}")

# They read settings and tables, which are there only now.
from .background import run_tasks_in_threads
from .missing_processes import warn_of_missing

# All views, before there are workers: each would import them at its first request.
get_resolver().url_patterns  # noqa: B018
run_tasks_in_threads()
log_start("web")
warn_of_missing()
