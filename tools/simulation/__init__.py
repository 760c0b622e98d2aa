"""The whole shop and a whole pretend Safaricom in one thread, under a clock that only we move.

People buy and pay, sellers hand over, cancel and are paid, agents and a kiosk bring parcels or find
shut doors, buyers report problems, staff decide, SMS go astray. After each step stock, hands and
sellers' money are counted anew (watch.py).

For finding bugs that need an unlikely order of events. A seed decides everything: who does what,
what the network loses, which process dies where, who overtakes whom. One seed is one run, and the
same run every time. When the faults end, everything open must come to an end by itself, and every
shilling must be where Safaricom says it is. A thousand seeds an hour, SQLite in memory, no
socket and no thread; so nothing here is about locks, servers or load.

``make soak`` looks for seeds that fail; ``make soak SEED=12345`` replays one of them.
"""
