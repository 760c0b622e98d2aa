"""A rehearsal of the worst night: the database is lost, and the shop is restored from its backup.

``make drill`` trades through the simulator over HTTP, takes a backup in the middle, continues to
trade, kills every process, drops the database, restores it (``deploy/backup``,
``deploy/restore``), recovers the lost hours from M-Pesa's statements, does what the console asks
staff to do, and exits with 1 unless ``prove --against-simulator`` finds nothing.

``make kills`` (``kills``) kills each process of a shop in turn while people trade, and reports what
they and the alerts saw.
"""
