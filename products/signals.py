"""What happens to products when something else does. Each receiver runs inside its transaction."""

from __future__ import annotations

from typing import Any

from django.dispatch import receiver

from accounts.models import User
from accounts.signals import account_closed

from .listings.services import unlist_products_of


@receiver(account_closed, dispatch_uid="products.unlist_closed_sellers_products")
def unlist_closed_sellers_products(user: User, **kwargs: Any) -> None:
    """Take what a seller sells off sale when their account is closed."""
    unlist_products_of(user)
