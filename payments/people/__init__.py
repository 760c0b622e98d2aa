"""A user's own data: ``/me/``, the export, and account deletion.

It is in ``payments``, the top app, since every app below stores personal data.
"""
