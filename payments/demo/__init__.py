"""Demos of the shop in use: a story of orders, and simulated days of trading.

For demonstrations (``manage.py demo``, also started by ``make run``) and for a rehearsal before
opening (``manage.py demo_day``). ``tools`` says how this differs from the other simulations.
Everything is done over HTTP, to the shop and to the simulator, as their users would. The database
is only read, except that waiting times are shortened (``pending``).
"""
