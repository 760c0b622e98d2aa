"""``make bench``: the cost of a request, relative to a constant view measured in the same run.

CPU milliseconds are those of the web processes and of PostgreSQL together, read from /proc, so a
noisy neighbour does not count. The ratio to the constant view is the figure to quote. Needs Linux
and a PostgreSQL where it may create a database (``make bench POSTGRES_URL=postgres://…``).
"""
