"""The dashboard: how the shop is doing, panel by panel.

Every read is bounded by a partial index or by a number of rows, so that it costs the same whatever
the shop has sold before.
"""
