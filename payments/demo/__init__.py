"""A shop in use, for people to look at: a story of orders, and whole days of trade.

For a demonstration (``manage.py demo``, which ``make run`` starts too) and a rehearsal before
opening (``manage.py demo_day``); ``tools`` says how it differs from the other engines that play the
shop. All of it is done over HTTP, to the shop and to the simulator, as their users would. The
database is only read, but for waits that are brought forward (``pending``).
"""
