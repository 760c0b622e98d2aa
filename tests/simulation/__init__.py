"""The whole shop and a whole pretend Safaricom in one thread, under a clock that only we move.

A seed decides everything: who does what, what the network loses, which process dies where. One
seed is one run, and the same run every time. After the bad weather comes calm, and then every
shilling must be where Safaricom says it is. ``make soak`` looks for seeds that fail;
``python -m tests.simulation --seed N`` tells what happened in one.
"""
