"""The admin's pages of accounts. Importing the package registers them."""

from . import audit, lockouts, people, proposals, roles

__all__ = ["audit", "lockouts", "people", "proposals", "roles"]
