"""Migrations one by one, as an older database had them, without squashed ones."""

from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader


class Steps(MigrationLoader):
    """A loader without squashed migrations."""

    def load_disk(self):
        super().load_disk()
        known = self.disk_migrations
        self.disk_migrations = {key: step for key, step in known.items() if not step.replaces}


class StepByStep(MigrationExecutor):
    """An executor that ignores squashed migrations."""

    def __init__(self, connection):
        super().__init__(connection)
        self.loader = Steps(connection)
