"""Backups of the shop: its PostgreSQL database and its pictures in one file, checked by restoring.

``archive.py`` is the file, ``postgres.py`` the database's programs, ``backup.py`` and
``restore.py`` the two ways. ``deploy/backup`` and ``deploy/restore`` run them.
"""
