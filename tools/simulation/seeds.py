"""Seeds that are part of every test run, and where the others begin."""

#: Chosen out of 240 for what they reach together, and how quickly: services, buttons of the
#: console and messages, each about orders in as many states as possible. A bug that a seed finds
#: gets a test of its own, and the seed is forgotten: as soon as the shop changes, it plays
#: otherwise.
KEPT = (9012, 9050, 9055, 9058, 9121, 9159, 9222)

#: Start of the other seeds, and how many of them `make check` plays.
BASE, FRESH = 20261123, 40
