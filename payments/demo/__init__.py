"""The shop in use, for a laptop to show: a story, and whole days of trade.

All of it is told to the shop and to the pretend M-Pesa over HTTP, as their users would. The
database is only read, but for waits that are brought forward (``waits.py``).
"""
