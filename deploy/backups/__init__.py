"""Backups of the shop: its PostgreSQL database and its pictures in one file, verified by restoring.

``archive.py`` is the file format, ``postgres.py`` calls the database's programs, ``backup.py`` and
``restore.py`` do the two jobs. ``deploy/backup`` and ``deploy/restore`` run them.
"""
