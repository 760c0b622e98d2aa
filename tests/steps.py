"""Migrations one by one, as a database of before has had them, without those that replace many."""

from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader


class Steps(MigrationLoader):
    """Knows no migration that replaces others."""

    def load_disk(self):
        super().load_disk()
        known = self.disk_migrations
        self.disk_migrations = {key: step for key, step in known.items() if not step.replaces}


class StepByStep(MigrationExecutor):
    """Migrates as before there were migrations that replace others."""

    def __init__(self, connection):
        super().__init__(connection)
        self.loader = Steps(connection)
