"""``python -m tests.migrated FILE``: an SQLite database that is migrated, where the tests keep one.

For a program that migrates whatever it finds, and would take ten seconds to. Where no test has run
since a migration changed there is no file, and nothing to complain of.
"""

import os
import sys
from pathlib import Path

FOLDER = Path(__file__).parents[1] / ".pytest_cache" / "migrated"


def main(wanted: Path) -> None:
    """Copy what is kept of the present migrations to ``wanted``."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    os.environ["DATABASE_URL"] = f"sqlite:///{wanted}"

    import django

    django.setup()

    from .databases import copy_kept_file

    copy_kept_file(FOLDER, wanted)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
