#!/usr/bin/env python
"""O-Mache's command line: ``python manage.py help`` lists what it can do."""

import os
import sys
from io import TextIOWrapper


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "omachemainproj.settings")
    if isinstance(sys.stdout, TextIOWrapper):
        # Into a file or a pipe, too: who watches a log waits for no full buffer.
        sys.stdout.reconfigure(line_buffering=True)
    from django.conf import settings
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    try:
        # Asked for first, so that a missing setting is one sentence and not a traceback.
        _ = settings.INSTALLED_APPS
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(f"O-Mache cannot start: {error}")


if __name__ == "__main__":
    main()
