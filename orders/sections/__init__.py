"""Sections about orders on the admin pages of users, order lines and products.

Importing the package adds them to those pages.
"""

from . import order_line_page, person_page, product_page

__all__ = ["order_line_page", "person_page", "product_page"]
