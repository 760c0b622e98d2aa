"""Thousands of orders through real processes, under load, while they are killed.

PostgreSQL, gunicorn, two clocks, and the simulator, whose books are the truth. For bugs that need
real locks, pools and processes; ``tools`` describes how it differs from the other engines.

``make soak-orders`` (20,000 orders), or ``make soak-orders ORDERS=500`` for a short run.
"""
