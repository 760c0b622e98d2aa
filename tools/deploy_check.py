"""Run manage.py with made-up production settings, to see the result of its checks.

``python -m tools.deploy_check check --deploy --fail-level WARNING`` is part of ``make lint``.
"""

import os
import sys

from django.core.management import execute_from_command_line
from django.utils.crypto import get_random_string

#: A complete, made-up production environment.
PRODUCTION = {
    "OMACHE_ENV_FILE": os.devnull,
    "DJANGO_SETTINGS_MODULE": "omachemainproj.settings",
    "DJANGO_SECRET_KEY": get_random_string(60),
    "DJANGO_ALLOWED_HOSTS": "api.omache.co.ke",
    "DARAJA_BASE_URL": "https://api.gateway.example",
    "DARAJA_CALLBACK_BASE_URL": "https://api.omache.co.ke",
    "DARAJA_CONSUMER_KEY": "key",
    "DARAJA_CONSUMER_SECRET": "secret",
    "DARAJA_SHORTCODE": "600000",
    "DARAJA_PASSKEY": "passkey",
    "DATABASE_URL": "sqlite:////srv/omache/db.sqlite3",
    "EMAIL_URL": "smtp+tls://omache:secret@mail.omache.co.ke:587",
    "DEFAULT_FROM_EMAIL": "O-Mache <hello@omache.co.ke>",
    "FRONTEND_URL": "https://shop.omache.co.ke",
    "MEDIA_ROOT": "/srv/omache/media",
    "SHOP_CONTACT": "0712 345 678, help@omache.co.ke",
}

if __name__ == "__main__":
    os.environ.update(PRODUCTION)
    execute_from_command_line(sys.argv)
