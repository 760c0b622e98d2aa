"""``python -m tests.copy_migrated_database FILE``: copy the tests' migrated SQLite database.

For a program that would otherwise spend ten seconds migrating. If no test has run since a migration
changed, there is no file, and that is not an error.
"""

import os
import sys
from pathlib import Path

FOLDER = Path(__file__).parents[1] / ".pytest_cache" / "migrated"


def main(wanted: Path) -> None:
    """Copy the stored database of the current migrations to ``wanted``."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    os.environ["DATABASE_URL"] = f"sqlite:///{wanted}"

    import django

    django.setup()

    from .databases import copy_kept_file

    copy_kept_file(FOLDER, wanted)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
