from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.db.models.signals import post_migrate


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self) -> None:
        from .backoffice.roles import update_roles_after_migrate  # noqa: PLC0415
        from .security_log import record_log_in  # noqa: PLC0415
        from .sessions import end_with_cookie, open_with_cookie  # noqa: PLC0415

        user_logged_in.connect(open_with_cookie, dispatch_uid="accounts.open_with_cookie")
        user_logged_in.connect(record_log_in, dispatch_uid="accounts.record_log_in")
        user_logged_out.connect(end_with_cookie, dispatch_uid="accounts.end_with_cookie")

        # After django.contrib.auth's own receiver, which makes the permissions: it is installed
        # before this app.
        post_migrate.connect(
            update_roles_after_migrate, dispatch_uid="accounts.update_roles_after_migrate"
        )


class ShopAdminConfig(admin_apps.AdminConfig):
    """Django's admin with the shop's own sign-in."""

    # Named in INSTALLED_APPS; "accounts" alone means the one above.
    default = False
    default_site = "accounts.backoffice.site.ShopSite"
