from django.apps import AppConfig


class ProductsConfig(AppConfig):
    name = "products"

    def ready(self) -> None:
        from . import conflict_parties, signals  # noqa: F401, PLC0415
