"""Programs for whoever works on the shop; nothing here is part of it, nor of the tests.

``bench`` measures what a request costs; ``deploy_check`` runs the checks of production.

Three engines play the whole shop against the simulator, each for something else:

- ``simulation`` (``make soak``): one thread, SQLite in memory, time that only it moves. For orders
  of events nobody thought of: thousands of seeds an hour, each the same every time.
- ``soak`` (``make soak-orders``): PostgreSQL, gunicorn and clocks that are killed, under load. For
  locks, pools, processes and everything else a simulation leaves out. Half an hour or more.
- ``payments.demo`` (``make run``, ``manage.py demo_day``): a shop to look at, with people who do
  what people do. For a demonstration and a rehearsal; nothing is killed.

The last two end with ``manage.py prove --against-simulator``; the first compares with more.
"""
