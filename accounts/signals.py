"""Signals for the apps above this one.

phone_proved    a user entered a code sent to their phone: orders
                (orders.signals: join_orders_of_verified_phone) gives them what a guest ordered with
                it
account_closed  staff closed an account: products (products.signals: unlist_closed_sellers_products)
                takes what it sells off sale
"""

from __future__ import annotations

from django.dispatch import Signal

#: Sent after the commit, with ``user`` (a User), ``phone`` (12 digits) and ``now``.
phone_proved = Signal()
#: Sent inside the transaction that closes it, with ``user`` (a User).
account_closed = Signal()
