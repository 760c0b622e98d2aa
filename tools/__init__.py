"""Programs for developers; not part of the shop or of its tests.

``bench`` measures what a request costs, ``holding_attack`` how much stock attackers can tie up.
``deploy_check`` and ``lint_migrations`` are parts of ``make lint``. ``drill`` rehearses a lost
database and killed processes, ``rehearse_pgbouncer`` a day behind a pooling proxy; ``nginx`` and
``pgbouncer`` start these programs, and ``memory_shop`` a shop in memory, for the others.

Three engines run the whole shop against the simulator, each for a different purpose:

- ``simulation`` (``make simulate``): one thread, SQLite in memory, virtual time. It finds unlikely
  orders of events: thousands of seeds an hour, each reproducible.
- ``soak`` (``make soak-orders``): PostgreSQL, gunicorn and clocks that are killed, under load. It
  tests locks, pools, processes and everything else a simulation leaves out. Half an hour or more.
- ``payments.demo`` (``make run``, ``manage.py demo_day``): a shop to look at, with typical users.
  For demonstrations and rehearsals; nothing is killed.

The last two end with ``manage.py prove --against-simulator``; the first compares more.
"""
