from django.apps import AppConfig
from django.db.backends.signals import connection_created
from django.db.models.signals import post_migrate


class PaymentsConfig(AppConfig):
    name = "payments"

    def ready(self) -> None:
        from . import conflict_parties, signals  # noqa: F401, PLC0415
        from .immutable_columns import register_sqlite_digest  # noqa: PLC0415
        from .immutable_triggers import create_original_triggers  # noqa: PLC0415
        from .payouts import handler, seller_refund_limit  # noqa: F401, PLC0415
        from .refunds import handler as refund_handler  # noqa: F401, PLC0415

        post_migrate.connect(
            create_original_triggers,
            sender=self,
            dispatch_uid="payments.immutable_triggers.create_original_triggers",
        )
        connection_created.connect(
            register_sqlite_digest, dispatch_uid="payments.immutable_columns.register_sqlite_digest"
        )
