"""The dashboard, panel by panel.

Every read is bounded by a partial index or by a number of rows, so that its cost does not grow with
the shop's history.
"""
