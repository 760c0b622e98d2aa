from django.apps import AppConfig
from django.db.backends.signals import connection_created
from django.db.models.signals import post_migrate


class PaymentsConfig(AppConfig):
    name = "payments"

    def ready(self) -> None:
        from . import conflict_parties, signals  # noqa: F401, PLC0415
        from .immutable_columns import give_sqlite_its_digest, keep_originals  # noqa: PLC0415
        from .payouts import handler, seller_refund_limit  # noqa: F401, PLC0415
        from .refunds import handler as refund_handler  # noqa: F401, PLC0415

        post_migrate.connect(
            keep_originals, sender=self, dispatch_uid="payments.immutable_columns.keep_originals"
        )
        connection_created.connect(
            give_sqlite_its_digest, dispatch_uid="payments.immutable_columns.give_sqlite_its_digest"
        )
