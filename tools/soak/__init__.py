"""``make soak-orders``: thousands of orders through real processes that are killed all the time.

Everything the shop is made of, on one machine: PostgreSQL, gunicorn, clocks, and a pretend
M-Pesa whose books are the truth.
"""
