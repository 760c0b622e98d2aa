from django.apps import AppConfig
from django.core.checks import Tags, register


class OrdersConfig(AppConfig):
    name = "orders"

    def ready(self) -> None:
        from . import conflict_parties, signals  # noqa: F401, PLC0415
        from .notifications.checks import check_email_links  # noqa: PLC0415

        register(check_email_links, Tags.compatibility, deploy=True)
