from django.apps import AppConfig
from django.db.backends.signals import connection_created
from django.db.models.signals import post_migrate


class PaymentsConfig(AppConfig):
    name = "payments"

    def ready(self) -> None:
        from . import interest, signals  # noqa: F401, PLC0415
        from .originals import give_sqlite_its_digest, keep_originals  # noqa: PLC0415
        from .payouts import handler, seller_refund_limit  # noqa: F401, PLC0415
        from .refunds import handler as refund_handler  # noqa: F401, PLC0415

        post_migrate.connect(
            keep_originals, sender=self, dispatch_uid="payments.originals.keep_originals"
        )
        connection_created.connect(
            give_sqlite_its_digest, dispatch_uid="payments.originals.give_sqlite_its_digest"
        )
