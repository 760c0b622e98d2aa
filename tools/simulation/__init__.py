"""The whole shop and a whole simulated Safaricom in one thread, on virtual time.

People buy and pay, on their phones, by hand and at a bank; sellers hand over, cancel and are paid,
agents and a kiosk bring parcels or find nobody at home, buyers report problems, M-Pesa takes back
payments and parts of them, finance press every button of the console, now and then by mistake,
people change prices or leave, SMS get lost, guests verify their phones, a lost database is restored
from a backup. After each step stock, parcels and sellers' money are recounted (watch.py).

For finding bugs that need an unlikely order of events. A seed decides everything: who does what,
what the network loses, which process dies where, which process is faster. A seed is one run, and
the same run every time. When the faults end, everything open must finish automatically, and every
shilling must be where Safaricom's books have it. A thousand seeds an hour, SQLite in memory, no
socket and no thread; so it cannot test locks, servers or load.

``make simulate`` looks for failing seeds; ``make simulate SEED=12345`` replays one of them.
"""
