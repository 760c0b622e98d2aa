"""Signals for the apps above this one.

phone_proved    a user entered a code sent to their phone: orders
                (orders.signals: join_orders_of_verified_phone) gives them what a guest ordered with
                it
"""

from __future__ import annotations

from django.dispatch import Signal

#: Sent after the commit, with ``user`` (a User), ``phone`` (12 digits) and ``now``.
phone_proved = Signal()
