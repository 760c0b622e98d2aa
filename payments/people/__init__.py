"""One person and all that the shop has of them: at a glance, as a file, and until it is deleted.

It stands on top, since what is kept of a person stands in every app below.
"""
