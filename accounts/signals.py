"""What this app tells those above it.

phone_proved    a person typed a code that was sent to their phone: orders
                (orders.signals: orders_follow_phone) gives them what a guest ordered with it
"""

from __future__ import annotations

from django.dispatch import Signal

#: Sent after the commit, with ``user`` (a User), ``phone`` (12 digits) and ``now``.
phone_proved = Signal()
