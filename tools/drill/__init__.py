"""A rehearsal of the worst night: the database is gone, and the shop comes back from its backup.

``make drill`` plays trade through the simulator over HTTP, backs the shop up in the middle of it,
trades on, kills every process, drops the database, restores it (``deploy/backup``,
``deploy/restore``), finds the lost hours again on M-Pesa's statements, does what the console asks
a person to do, and ends with 1 unless ``prove --against-simulator`` finds nothing.

``make kills`` (``kills``) kills each process of a shop in turn under trade, and tells what people
met and who was told.
"""
