"""The whole shop and a whole pretend Safaricom in one thread, under a clock that only we move.

For finding bugs that need an unlikely order of events. A seed decides everything: who does what,
what the network loses, which process dies where, who overtakes whom. One seed is one run, and the
same run every time. When the faults end, everything open must come to an end by itself, and every
shilling must be where Safaricom says it is. Thousands of seeds an hour, SQLite in memory, no
socket and no thread; so nothing here is about locks, servers or load.

``make soak`` looks for seeds that fail; ``make soak SEED=12345`` replays one of them.
"""
