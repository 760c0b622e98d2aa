from django.apps import AppConfig
from django.core.checks import Tags, register


class OrdersConfig(AppConfig):
    name = "orders"

    def ready(self) -> None:
        from . import interest, signals  # noqa: F401, PLC0415
        from .notifications.checks import warn_without_contact  # noqa: PLC0415

        register(warn_without_contact, Tags.compatibility, deploy=True)
