from django.apps import AppConfig
from django.db.models.signals import post_migrate


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self) -> None:
        from .backoffice.roles import update_roles_after_migrate  # noqa: PLC0415

        # After django.contrib.auth's own receiver, which makes the permissions: it is installed
        # before this app.
        post_migrate.connect(
            update_roles_after_migrate, dispatch_uid="accounts.update_roles_after_migrate"
        )
